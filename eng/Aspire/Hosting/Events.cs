using System.Collections.Concurrent;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Eventing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.Eventing
{
    public interface IDistributedApplicationEvent;

    public interface IDistributedApplicationResourceEvent : IDistributedApplicationEvent
    {
        IResource Resource { get; }

        IServiceProvider Services { get; }

        ILogger Logger => Services.GetRequiredService<ResourceLoggerService>().GetLogger(Resource);
    }

    public interface IDistributedApplicationEventing
    {
        DistributedApplicationEventSubscription Subscribe<T>(Func<T, CancellationToken, Task> callback) where T : IDistributedApplicationEvent;

        DistributedApplicationEventSubscription Subscribe<T>(IResource resource, Func<T, CancellationToken, Task> callback)
            where T : IDistributedApplicationResourceEvent;

        /// <summary>Calls the subscribers one after the other, in the order they subscribed.</summary>
        Task PublishAsync<T>(T @event, CancellationToken cancellationToken = default) where T : IDistributedApplicationEvent;
    }

    public class DistributedApplicationEventSubscription(Func<IDistributedApplicationEvent, CancellationToken, Task> callback)
    {
        public Func<IDistributedApplicationEvent, CancellationToken, Task> Callback { get; } = callback;
    }

    public class DistributedApplicationEventing : IDistributedApplicationEventing
    {
        private readonly ConcurrentQueue<DistributedApplicationEventSubscription> _subscriptions = [];

        public DistributedApplicationEventSubscription Subscribe<T>(Func<T, CancellationToken, Task> callback) where T : IDistributedApplicationEvent
        {
            var subscription = new DistributedApplicationEventSubscription((e, ct) => e is T wanted ? callback(wanted, ct) : Task.CompletedTask);
            _subscriptions.Enqueue(subscription);
            return subscription;
        }

        public DistributedApplicationEventSubscription Subscribe<T>(IResource resource, Func<T, CancellationToken, Task> callback)
            where T : IDistributedApplicationResourceEvent =>
            Subscribe<T>((e, ct) => e.Resource == resource ? callback(e, ct) : Task.CompletedTask);

        public async Task PublishAsync<T>(T @event, CancellationToken cancellationToken = default) where T : IDistributedApplicationEvent
        {
            foreach (var subscription in _subscriptions)
            {
                await subscription.Callback(@event, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}

namespace Aspire.Hosting.ApplicationModel
{
    /// <summary>The ports are known, so the connection string is.</summary>
    public class ConnectionStringAvailableEvent(IResource resource, IServiceProvider services) : IDistributedApplicationResourceEvent
    {
        public IResource Resource { get; } = resource;

        public IServiceProvider Services { get; } = services;
    }

    /// <summary>All the resource waits for has come; its process starts next.</summary>
    public class BeforeResourceStartedEvent(IResource resource, IServiceProvider services) : IDistributedApplicationResourceEvent
    {
        public IResource Resource { get; } = resource;

        public IServiceProvider Services { get; } = services;
    }

    /// <summary>Running and healthy for the first time; those that wait for it go on when the subscribers are done.</summary>
    public class ResourceReadyEvent(IResource resource, IServiceProvider services) : IDistributedApplicationResourceEvent
    {
        public IResource Resource { get; } = resource;

        public IServiceProvider Services { get; } = services;
    }

    public class ResourceStoppedEvent(IResource resource, IServiceProvider services, ResourceEvent resourceEvent) : IDistributedApplicationResourceEvent
    {
        public IResource Resource { get; } = resource;

        public IServiceProvider Services { get; } = services;

        public ResourceEvent ResourceEvent { get; } = resourceEvent;
    }
}

namespace Aspire.Hosting
{
    public static class DistributedApplicationEventingExtensions
    {
        public static IResourceBuilder<T> OnBeforeResourceStarted<T>(
            this IResourceBuilder<T> builder, Func<T, BeforeResourceStartedEvent, CancellationToken, Task> callback) where T : IResource => builder.On(callback);

        public static IResourceBuilder<T> OnConnectionStringAvailable<T>(
            this IResourceBuilder<T> builder, Func<T, ConnectionStringAvailableEvent, CancellationToken, Task> callback)
            where T : IResourceWithConnectionString => builder.On(callback);

        public static IResourceBuilder<T> OnResourceReady<T>(
            this IResourceBuilder<T> builder, Func<T, ResourceReadyEvent, CancellationToken, Task> callback) where T : IResource => builder.On(callback);

        public static IResourceBuilder<T> OnResourceStopped<T>(
            this IResourceBuilder<T> builder, Func<T, ResourceStoppedEvent, CancellationToken, Task> callback) where T : IResource => builder.On(callback);

        private static IResourceBuilder<T> On<T, TEvent>(this IResourceBuilder<T> builder, Func<T, TEvent, CancellationToken, Task> callback)
            where T : IResource where TEvent : IDistributedApplicationResourceEvent
        {
            builder.ApplicationBuilder.Eventing.Subscribe<TEvent>(builder.Resource, (e, ct) => callback(builder.Resource, e, ct));
            return builder;
        }
    }
}

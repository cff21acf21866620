using System.Reflection;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Eventing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting.Testing;

/// <summary>An AppHost's builder as the AppHost left it just before <c>Build</c>, for a test to change and build.</summary>
public interface IDistributedApplicationTestingBuilder : IDistributedApplicationBuilder, IAsyncDisposable, IDisposable
{
    Task<DistributedApplication> BuildAsync(CancellationToken cancellationToken = default);
}

public static class DistributedApplicationTestingBuilder
{
    public static Task<IDistributedApplicationTestingBuilder> CreateAsync<TEntryPoint>(CancellationToken cancellationToken = default)
        where TEntryPoint : class => CreateAsync<TEntryPoint>([], cancellationToken);

    /// <summary>Runs the AppHost's own entry point up to <c>Build</c>. Its ports are free ones, so that it runs beside another instance.</summary>
    public static async Task<IDistributedApplicationTestingBuilder> CreateAsync<TEntryPoint>(string[] args, CancellationToken cancellationToken = default)
        where TEntryPoint : class
    {
        var session = new TestSession(typeof(TEntryPoint).Assembly);
        session.RunEntryPoint(args);
        return new TestingBuilder(session, await session.Builder.WaitAsync(cancellationToken).ConfigureAwait(false));
    }

    private sealed class TestingBuilder(TestSession session, DistributedApplicationBuilder builder) : IDistributedApplicationTestingBuilder
    {
        private DistributedApplication? _app;

        public string AppHostDirectory => builder.AppHostDirectory;

        public Assembly? AppHostAssembly => builder.AppHostAssembly;

        public ConfigurationManager Configuration => builder.Configuration;

        public IHostEnvironment Environment => builder.Environment;

        public DistributedApplicationExecutionContext ExecutionContext => builder.ExecutionContext;

        public IResourceCollection Resources => builder.Resources;

        public IServiceCollection Services => builder.Services;

        public IDistributedApplicationEventing Eventing => builder.Eventing;

        public IResourceBuilder<T> AddResource<T>(T resource) where T : IResource => builder.AddResource(resource);

        public IResourceBuilder<T> CreateResourceBuilder<T>(T resource) where T : IResource => builder.CreateResourceBuilder(resource);

        public DistributedApplication Build() => BuildAsync().GetAwaiter().GetResult();

        public async Task<DistributedApplication> BuildAsync(CancellationToken cancellationToken = default) =>
            _app = await session.BuildAsync(cancellationToken).ConfigureAwait(false);

        public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

        public async ValueTask DisposeAsync()
        {
            if (_app is not null)
            {
                await _app.DisposeAsync().ConfigureAwait(false);
            }

            session.Ended();
        }
    }
}

/// <summary>One AppHost's entry point, run by a test: it stops in <c>Build</c> for the test to go on, and returns from <c>Run</c> when the test is over.</summary>
internal sealed class TestSession(Assembly appHost)
{
    private static readonly AsyncLocal<TestSession?> CurrentSession = new();

    private readonly TaskCompletionSource<DistributedApplicationBuilder> _builder = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<DistributedApplication> _app = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public static TestSession? Current => CurrentSession.Value;

    public Assembly AppHost { get; } = appHost;

    public Task<DistributedApplicationBuilder> Builder => _builder.Task;

    public Task Completion => _completion.Task;

    public void RunEntryPoint(string[] args)
    {
        var main = AppHost.EntryPoint ?? throw new InvalidOperationException($"{AppHost.GetName().Name} has no entry point.");
        CurrentSession.Value = this;
        var thread = new Thread(() =>
        {
            try
            {
                main.Invoke(null, BindingFlags.DoNotWrapExceptions, null, main.GetParameters().Length == 0 ? [] : [args], null);
                Fail(new InvalidOperationException($"{AppHost.GetName().Name} ended without building an application."));
            }
            catch (Exception e)
            {
                Fail(e);
            }
        })
        { IsBackground = true, Name = $"{AppHost.GetName().Name}'s entry point" };
        thread.Start();
        CurrentSession.Value = null;
    }

    /// <summary>Called on the entry point's thread, in <c>Build</c>.</summary>
    public void Built(DistributedApplicationBuilder builder)
    {
        _builder.TrySetResult(builder);
        _goOn.Task.GetAwaiter().GetResult();
        if (_completion.Task.IsCompleted)
        {
            throw new OperationCanceledException("The test ended before it built the application.");
        }
    }

    public void Started(DistributedApplication app) => _app.TrySetResult(app);

    public Task<DistributedApplication> BuildAsync(CancellationToken cancellationToken)
    {
        _goOn.TrySetResult();
        return _app.Task.WaitAsync(cancellationToken);
    }

    public void Ended()
    {
        _completion.TrySetResult();
        _goOn.TrySetResult();
    }

    private void Fail(Exception exception)
    {
        _builder.TrySetException(exception);
        _app.TrySetException(exception);
    }
}

public static class DistributedApplicationHostingTestingExtensions
{
    /// <param name="endpointName">The http endpoint, or else the https one, when null.</param>
    public static HttpClient CreateHttpClient(this DistributedApplication app, string resourceName, string? endpointName = null) =>
        new() { BaseAddress = app.GetEndpoint(resourceName, endpointName) };

    public static Uri GetEndpoint(this DistributedApplication app, string resourceName, string? endpointName = null) =>
        app.Find(resourceName) is IResourceWithEndpoints resource
            ? new Uri(resource.Annotations.OfType<EndpointAnnotation>().ToList() is [var only] && endpointName is null
                ? new EndpointReference(resource, only.Name).Url
                : resource.HttpEndpoint(endpointName).Url)
            : throw new ArgumentException($"The resource '{resourceName}' has no endpoints.", nameof(resourceName));

    public static ValueTask<string?> GetConnectionStringAsync(this DistributedApplication app, string resourceName, CancellationToken cancellationToken = default) =>
        app.Find(resourceName) is IResourceWithConnectionString resource
            ? resource.GetConnectionStringAsync(cancellationToken)
            : throw new ArgumentException($"The resource '{resourceName}' has no connection string.", nameof(resourceName));

    private static IResource Find(this DistributedApplication app, string name) =>
        app.Services.GetRequiredService<DistributedApplicationModel>().Resources.FirstOrDefault(r => string.Equals(r.Name, name, StringComparison.OrdinalIgnoreCase))
        ?? throw new ArgumentException($"There is no resource '{name}'.", nameof(name));
}

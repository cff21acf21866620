using System.Collections;
using System.Reflection;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Eventing;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.EnvironmentVariables;
using Microsoft.Extensions.Configuration.UserSecrets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.ApplicationModel
{
    public interface IResourceBuilder<out T> where T : IResource
    {
        IDistributedApplicationBuilder ApplicationBuilder { get; }

        T Resource { get; }

        IResourceBuilder<T> WithAnnotation<TAnnotation>(
            TAnnotation annotation, ResourceAnnotationMutationBehavior behavior = ResourceAnnotationMutationBehavior.Append) where TAnnotation : IResourceAnnotation;
    }

    public interface IResourceCollection : IEnumerable<IResource>
    {
        int Count { get; }
    }

    public class DistributedApplicationModel(IResourceCollection resources)
    {
        public IResourceCollection Resources { get; } = resources;
    }
}

namespace Aspire.Hosting
{
    public class DistributedApplicationException(string message) : Exception(message);

    public enum DistributedApplicationOperation
    {
        Run = 0,
        Publish = 1,
    }

    public class DistributedApplicationExecutionContext(DistributedApplicationOperation operation)
    {
        public DistributedApplicationOperation Operation { get; } = operation;

        public bool IsRunMode => Operation == DistributedApplicationOperation.Run;

        public bool IsPublishMode => Operation == DistributedApplicationOperation.Publish;
    }

    /// <summary>Collects the resources of a distributed application.</summary>
    public interface IDistributedApplicationBuilder
    {
        string AppHostDirectory { get; }

        Assembly? AppHostAssembly { get; }

        ConfigurationManager Configuration { get; }

        IHostEnvironment Environment { get; }

        DistributedApplicationExecutionContext ExecutionContext { get; }

        IResourceCollection Resources { get; }

        IServiceCollection Services { get; }

        IDistributedApplicationEventing Eventing { get; }

        IResourceBuilder<T> AddResource<T>(T resource) where T : IResource;

        IResourceBuilder<T> CreateResourceBuilder<T>(T resource) where T : IResource;

        DistributedApplication Build();
    }

    internal sealed class DistributedApplicationBuilder : IDistributedApplicationBuilder
    {
        private readonly HostApplicationBuilder _host;
        private readonly ResourceCollection _resources = new();
        private readonly TestSession? _session = TestSession.Current;

        public DistributedApplicationBuilder(string[] args)
        {
            AppHostAssembly = _session?.AppHost ?? Assembly.GetEntryAssembly();
            AppHostDirectory = AppHostAssembly?.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(a => a.Key == "apphostprojectpath")?.Value
                ?? Directory.GetCurrentDirectory();
            var settings = new HostApplicationBuilderSettings
            {
                Args = args,
                ApplicationName = AppHostAssembly?.GetName().Name,
                ContentRootPath = AppHostDirectory,
                EnvironmentName = _session is null ? null : Environments.Development,
                Configuration = new ConfigurationManager(),
            };

            // The AppHost lives for one run: nothing reads a changed file, so nothing need watch it.
            settings.Configuration["hostBuilder:reloadConfigOnChange"] = "false";
            _host = new HostApplicationBuilder(settings);
            AddUserSecrets();

            // "--operation publish" and the older "--publisher NAME" are how Aspire's tools ask for a manifest.
            var publishes = Configuration["operation"] is { } operation ? operation.Equals("publish", StringComparison.OrdinalIgnoreCase) : Configuration["publisher"] is not null;
            ExecutionContext = new(publishes ? DistributedApplicationOperation.Publish : DistributedApplicationOperation.Run);

            _host.Logging.ClearProviders().AddProvider(ConsoleLines.Provider).SetMinimumLevel(_session is null ? LogLevel.Information : LogLevel.Warning)
                .AddFilter("Microsoft", LogLevel.Warning).AddFilter("System.Net.Http", LogLevel.Warning)
                .AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None);
            Services.AddHealthChecks();
            Services.AddSingleton(this).AddSingleton(ExecutionContext).AddSingleton(Eventing).AddSingleton(new DistributedApplicationModel(_resources))
                .AddSingleton(new ResourceNotificationService()).AddSingleton<Orchestrator>()
                .AddSingleton(p => new ResourceLoggerService(p.GetRequiredService<ILoggerFactory>(), Environment.ApplicationName));
        }

        public string AppHostDirectory { get; }

        public Assembly? AppHostAssembly { get; }

        public ConfigurationManager Configuration => _host.Configuration;

        public IHostEnvironment Environment => _host.Environment;

        public DistributedApplicationExecutionContext ExecutionContext { get; }

        public IResourceCollection Resources => _resources;

        public IServiceCollection Services => _host.Services;

        public IDistributedApplicationEventing Eventing { get; } = new DistributedApplicationEventing();

        /// <summary>Under a test's builder every port is a free one.</summary>
        internal bool RandomizePorts => _session is not null;

        public IResourceBuilder<T> AddResource<T>(T resource) where T : IResource
        {
            _resources.Add(resource);
            return CreateResourceBuilder(resource);
        }

        public IResourceBuilder<T> CreateResourceBuilder<T>(T resource) where T : IResource => new ResourceBuilder<T>(this, resource);

        public DistributedApplication Build()
        {
            _session?.Built(this);
            var app = new DistributedApplication(_host.Build(), _session);
            _session?.Started(app);
            return app;
        }

        // A generated secret must be found again whatever the environment; the host itself reads the file in Development only.
        private void AddUserSecrets()
        {
            if (!Environment.IsDevelopment() && AppHostAssembly?.GetCustomAttribute<UserSecretsIdAttribute>() is { } secrets)
            {
                var chained = new ConfigurationBuilder().AddUserSecrets(secrets.UserSecretsId).Sources[0];
                var sources = ((IConfigurationBuilder)Configuration).Sources;
                var index = sources.ToList().FindLastIndex(s => s is EnvironmentVariablesConfigurationSource { Prefix: null or "" });
                sources.Insert(Math.Max(index, 0), chained);
            }
        }

        private sealed class ResourceBuilder<T>(IDistributedApplicationBuilder applicationBuilder, T resource) : IResourceBuilder<T> where T : IResource
        {
            public IDistributedApplicationBuilder ApplicationBuilder => applicationBuilder;

            public T Resource => resource;

            public IResourceBuilder<T> WithAnnotation<TAnnotation>(TAnnotation annotation, ResourceAnnotationMutationBehavior behavior) where TAnnotation : IResourceAnnotation
            {
                if (behavior == ResourceAnnotationMutationBehavior.Replace && Resource.Annotations.OfType<TAnnotation>().ToList() is { } old)
                {
                    old.ForEach(a => Resource.Annotations.Remove(a));
                }

                Resource.Annotations.Add(annotation);
                return this;
            }
        }

        private sealed class ResourceCollection : IResourceCollection
        {
            private readonly List<IResource> _all = [];

            public int Count => _all.Count;

            public void Add(IResource resource)
            {
                if (_all.Exists(r => string.Equals(r.Name, resource.Name, StringComparison.OrdinalIgnoreCase)))
                {
                    throw new DistributedApplicationException($"There are two resources named '{resource.Name}'.");
                }

                _all.Add(resource);
            }

            public IEnumerator<IResource> GetEnumerator() => _all.GetEnumerator();

            IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
        }
    }
}

using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy.Registries;

namespace Tenancy.Databases;

/// <summary>
/// The application's services as they were if this database of tenants was its first: the library's own, whose types
/// <see cref="PerDatabase"/> names, are made once more, over this database's pools. All others are the application's.
/// </summary>
/// <remarks>
/// So nothing of the library has to be told in which database it works, and an application with one database has none
/// of these.
/// </remarks>
internal sealed class TenantDatabase : IKeyedServiceProvider, IServiceScopeFactory, IAsyncDisposable, IDisposable
{
    private readonly IServiceProvider _application;
    private readonly Lazy<Dictionary<(Type, object?), ServiceDescriptor>> _descriptors;
    private readonly ConcurrentDictionary<ServiceDescriptor, Lazy<object>> _made = new();
    private readonly Lazy<NpgsqlDataSource> _serving;

    /// <param name="options">This database's.</param>
    /// <param name="application">The application's services.</param>
    /// <param name="registered">How they are made.</param>
    public TenantDatabase(TenancyOptions options, IServiceProvider application, IServiceCollection registered)
    {
        (Options, _application) = (options, application);
        _descriptors = new(() =>
        {
            var types = application.GetServices<PerDatabase>().Select(one => one.Type).ToHashSet();
            // Of two registrations the last one counts.
            return registered
                .Where(one => types.Contains(one.ServiceType) && !(one.ServiceType == typeof(NpgsqlDataSource)
                    && one.ServiceKey is not (TenancyOptions.OwnerKey or TenancyOptions.TenantsKey)))
                .GroupBy(one => (one.ServiceType, one.ServiceKey))
                .ToDictionary(group => group.Key, group => group.Last());
        });
        _serving = new(() => this.GetRequiredService<GuardedDataSource>().Tenants);
    }

    /// <summary>As the registry has it.</summary>
    public string Name => Options.Database!;

    /// <summary>The application's, with this database's connection strings.</summary>
    public TenancyOptions Options { get; }

    /// <summary>For tenant contexts.</summary>
    public NpgsqlDataSource Serving => _serving.Value;

    /// <summary>For the ledger.</summary>
    public NpgsqlDataSource Owner => this.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.OwnerKey);

    /// <inheritdoc/>
    public object? GetService(Type serviceType) =>
        serviceType == typeof(IServiceProvider) || serviceType == typeof(IServiceScopeFactory) ? this
        : serviceType == typeof(TenancyOptions) ? Options
        : Find(serviceType, null, ServiceLifetime.Singleton) is { } own ? Made(own)
        : _application.GetService(serviceType);

    /// <inheritdoc/>
    public object? GetKeyedService(Type serviceType, object? serviceKey) =>
        Find(serviceType, serviceKey, ServiceLifetime.Singleton) is { } own
            ? Made(own)
            : ((IKeyedServiceProvider)_application).GetKeyedService(serviceType, serviceKey);

    /// <inheritdoc/>
    public object GetRequiredKeyedService(Type serviceType, object? serviceKey) =>
        GetKeyedService(serviceType, serviceKey)
            ?? throw new InvalidOperationException($"There is no service {serviceType} with the key '{serviceKey}'.");

    /// <inheritdoc/>
    public IServiceScope CreateScope() => new Scope(this, _application.CreateAsyncScope());

    /// <summary>A scope to be disposed of asynchronously.</summary>
    public AsyncServiceScope NewScope() => new(CreateScope());

    /// <summary>Makes something that isn't a service, e.g. work in the background.</summary>
    public T Create<T>() => ActivatorUtilities.CreateInstance<T>(this);

    /// <inheritdoc/>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var made in _made.Values.Where(made => made.IsValueCreated).Select(made => made.Value).Distinct())
        {
            if (made is IAsyncDisposable waits)
            {
                await waits.DisposeAsync();
            }
            else
            {
                (made as IDisposable)?.Dispose();
            }
        }
    }

    private ServiceDescriptor? Find(Type type, object? key, ServiceLifetime lifetime) =>
        _descriptors.Value.GetValueOrDefault((type, key)) is { } own && own.Lifetime == lifetime ? own : null;

    private object Made(ServiceDescriptor own) =>
        _made.GetOrAdd(own, _ => new(() => Make(this, own))).Value;

    private static object Make(IServiceProvider services, ServiceDescriptor own) =>
        own.IsKeyedService ? own.KeyedImplementationFactory!(services, own.ServiceKey)
        : own.ImplementationFactory is { } factory ? factory(services)
        : ActivatorUtilities.CreateInstance(services, own.ImplementationType!);

    /// <summary>A scope of the application's, with what each scope of this database has for itself.</summary>
    private sealed class Scope(TenantDatabase database, AsyncServiceScope application)
        : IServiceScope, IKeyedServiceProvider, IAsyncDisposable
    {
        private readonly Dictionary<Type, object> _made = [];

        public IServiceProvider ServiceProvider => this;

        public object? GetService(Type serviceType) =>
            serviceType == typeof(IServiceProvider) ? this
            : serviceType == typeof(IServiceScopeFactory) ? database
            : serviceType == typeof(TenancyOptions) ? database.Options
            : serviceType == typeof(ITenantRegistry) ? Made(serviceType, Registry)
            : database.Find(serviceType, null, ServiceLifetime.Scoped) is { } own
                ? Made(serviceType, () => Make(this, own))
            : database.Find(serviceType, null, ServiceLifetime.Singleton) is { } shared ? database.Made(shared)
            : application.ServiceProvider.GetService(serviceType);

        public object? GetKeyedService(Type serviceType, object? serviceKey) =>
            database.Find(serviceType, serviceKey, ServiceLifetime.Singleton) is { } own
                ? database.Made(own)
                : ((IKeyedServiceProvider)application.ServiceProvider).GetKeyedService(serviceType, serviceKey);

        public object GetRequiredKeyedService(Type serviceType, object? serviceKey) =>
            GetKeyedService(serviceType, serviceKey) ?? throw new InvalidOperationException(
                $"There is no service {serviceType} with the key '{serviceKey}'.");

        public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

        public async ValueTask DisposeAsync()
        {
            foreach (var made in _made.Values)
            {
                if (made is IAsyncDisposable waits)
                {
                    await waits.DisposeAsync();
                }
                else
                {
                    (made as IDisposable)?.Dispose();
                }
            }

            await application.DisposeAsync();
        }

        private object Registry()
        {
            var services = application.ServiceProvider;
            return new PlacedRegistry(
                services.Registry(), database,
                services.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.OwnerKey));
        }

        private object Made(Type type, Func<object> make)
        {
            if (!_made.TryGetValue(type, out var made))
            {
                _made.Add(type, made = make());
            }

            return made;
        }
    }
}

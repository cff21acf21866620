using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Tenancy.Doctor;
using Tenancy.Registries;
using Tenancy.Transfer;

namespace Tenancy.Databases;

internal static class DatabasesRegistration
{
    /// <summary>The library's services that are over a database's pools, or take one that is.</summary>
    private static readonly Type[] Own =
    [
        typeof(NpgsqlDataSource), typeof(GuardedDataSource), typeof(TenancyPools), typeof(DatabaseProbe),
        typeof(SchemaVersions), typeof(SchemaProvisioner), typeof(Tenants), typeof(FleetMigrator), typeof(FleetReader),
        typeof(FleetVerifier), typeof(FleetMonitor), typeof(SourceTenants), typeof(TenantLandings),
        typeof(TenantTransfer), typeof(TenantAdoption), typeof(TenantCopy), typeof(TenantRemoval),
        typeof(TenantMove), typeof(MovingSchemas), typeof(TenantTasks), typeof(TenantLogin), typeof(TenantRoles),
        typeof(TenancyDoctor), typeof(CatalogVacuum),
    ];

    /// <summary>Registers what finds the tenants' databases, and their work in the background.</summary>
    public static void AddDatabases(this IServiceCollection services)
    {
        services.PerDatabase(Own);
        services.AddSingleton(provider =>
            new TenantDatabases(provider, services, provider.GetRequiredService<TenancyOptions>()));
        services.AddHostedService<DatabasesWork>();
    }

    /// <summary>Says that each database has services of these types for itself.</summary>
    public static IServiceCollection PerDatabase(this IServiceCollection services, params Type[] types)
    {
        foreach (var type in types)
        {
            services.AddSingleton(new PerDatabase(type));
        }

        return services;
    }
}

/// <summary>What runs in the background for the first database, for each of the others.</summary>
internal sealed class DatabasesWork(IServiceProvider application, TenantDatabases databases) : IHostedService
{
    private readonly List<IHostedService> _running = [];

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (databases.Others.Count == 0)
        {
            return;
        }

        var first = application.GetServices<IHostedService>().Select(service => service.GetType()).ToHashSet();
        foreach (var database in databases.Others)
        {
            Add<FleetMonitor>(database.GetRequiredService<FleetMonitor>);
            Add<DirectoryListener>(database.Create<DirectoryListener>);
            Add<LateTenantMigrator>(database.Create<LateTenantMigrator>);
            Add<WarmPoolFiller>(database.Create<WarmPoolFiller>);
            Add<DoctorMonitor>(database.Create<DoctorMonitor>);
        }

        foreach (var one in _running)
        {
            await one.StartAsync(cancellationToken);
        }

        void Add<T>(Func<T> make) where T : IHostedService
        {
            if (first.Contains(typeof(T)))
            {
                _running.Add(make());
            }
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(_running.Select(one => one.StopAsync(cancellationToken)));
}

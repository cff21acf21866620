using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Tenancy.Doctor;

/// <summary>Registers the doctor, and what follows its advice.</summary>
internal static class DoctorRegistration
{
    public static void AddDoctor(this IServiceCollection services)
    {
        services.AddSingleton(provider => new TenancyDoctor(
            provider.GetRequiredService<GuardedDataSource>(), provider.GetRequiredService<CompiledMigrations>(),
            provider.GetRequiredService<TenancyOptions>(), provider.GetRequiredService<IServiceScopeFactory>(),
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<TenancyMetrics>(),
            TenancyRegistration.Others(provider)));
        services.AddSingleton(provider => new CatalogVacuum(
            provider.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.OwnerKey),
            provider.GetRequiredService<TenancyOptions>(), provider.GetRequiredService<ILogger<CatalogVacuum>>()));
        services.AddHostedService<DoctorMonitor>();
    }
}

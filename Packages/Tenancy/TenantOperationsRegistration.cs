using Microsoft.Extensions.DependencyInjection;
using Tenancy.Operations;

namespace Tenancy;

/// <summary>Adds what runs operations.</summary>
public static class TenantOperationsRegistration
{
    /// <summary>
    /// Lets this process run operations (<see cref="TenantOperations"/>) in the background, with the owner's login. Any
    /// process may ask for them; at least one has to run them. The next one goes on with what a dead one has left.
    /// </summary>
    /// <param name="services">The application's services, after <c>AddTenancy</c>.</param>
    public static IServiceCollection AddTenantOperations(this IServiceCollection services) =>
        services.AddHostedService<OperationsRunner>();

    internal static void AddOperationKinds(this IServiceCollection services)
    {
        services.AddSingleton<OperationKind, ExportKind>().AddSingleton<OperationKind, ImportKind>()
            .AddSingleton<OperationKind, CloneKind>().AddSingleton<OperationKind, MoveKind>()
            .AddSingleton<OperationKind, VerifyKind>().AddSingleton<OperationKind, ReconcileKind>()
            .AddSingleton<OperationKind, TaskKind>();
        foreach (var kind in new[] { OperationKinds.Migrate, OperationKinds.Retry, OperationKinds.Down })
        {
            services.AddSingleton<OperationKind>(provider =>
                ActivatorUtilities.CreateInstance<MigrateKind>(provider, kind));
        }

        // As TenantSearch: it answers requests.
        services.AddSingleton(provider => new TenantOperations(
            provider.GetRequiredService<GuardedDataSource>().Owner, provider.GetServices<OperationKind>()));
    }
}

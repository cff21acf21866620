using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure.Internal;
using Tenancy.Leasing;

namespace Tenancy;

/// <summary>
/// Looks, when the host starts, whether somebody registered the tenant context once more after
/// <c>AddTenancy</c>, which would change its options or hand it out without a tenant.
/// </summary>
internal sealed class RegistrationCheck<TContext>(IServiceProvider services) : IHostedService where TContext : DbContext
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        // Options may be a scope's.
        using var scope = services.CreateScope();
        var options = scope.ServiceProvider.GetRequiredService<DbContextOptions<TContext>>();
#pragma warning disable EF1001 // The provider's extension is public by need and internal by name; only read here.
        var source = options.FindExtension<NpgsqlOptionsExtension>()?.DataSource;
#pragma warning restore EF1001
        if (options.FindExtension<TenancyExtension>() is null
            || !ReferenceEquals(source, scope.ServiceProvider.GetRequiredService<GuardedDataSource>().Tenants))
        {
            throw new InvalidOperationException(
                $"{typeof(TContext).Name}'s options name another database than AddTenancy's: it was configured " +
                "again, by AddDbContext, AddDbContextFactory, ConfigureDbContext or UseNpgsql in AddTenancy's " +
                "parameter 'context'. Remove that; TenancyOptions.ConfigureDataSource changes the data source.");
        }

        // Only a compiled model wasn't checked when it was built: it is as it was when it was made.
        if (options.FindExtension<CoreOptionsExtension>()?.Model is { } compiled
            && compiled.GetDefaultSchema() != TenantPlaceholder.Schema)
        {
            throw new InvalidOperationException(
                $"{typeof(TContext).Name}'s compiled model has the default schema '{compiled.GetDefaultSchema()}': " +
                "make it anew by dotnet ef dbcontext optimize, now that AddTenancy has the context.");
        }

        if (scope.ServiceProvider.GetRequiredService<IEnumerable<IDbContextFactory<TContext>>>().Count() > 1)
        {
            throw new InvalidOperationException(
                $"IDbContextFactory<{typeof(TContext).Name}> is registered besides AddTenancy's: remove it. " +
                "TenantContextFactory makes a context for a tenant.");
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

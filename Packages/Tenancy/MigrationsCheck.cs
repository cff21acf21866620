using Microsoft.Extensions.Hosting;

namespace Tenancy;

/// <summary>
/// Says when the host starts, in Development, what keeps the build from serving tenants: all of it, not what a first
/// tenant would meet. Elsewhere the job's command <c>check</c> says it, and a start doesn't wait for the migrations'
/// SQL.
/// </summary>
internal sealed class MigrationsCheck(CompiledMigrations migrations, IHostEnvironment environment) : IHostedService
{
    /// <exception cref="TenantMigrationException">Something does.</exception>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (environment.IsDevelopment())
        {
            try
            {
                // Needed anyway as soon as a tenant is made.
                migrations.Compile();
            }
            catch (TenantMigrationException)
            {
                throw new TenantMigrationException(string.Join(Environment.NewLine, migrations.Problems()));
            }
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

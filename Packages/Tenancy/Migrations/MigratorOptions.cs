using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Tenancy.Leasing;

namespace Tenancy.Migrations;

/// <summary>What EF's own migrator looks at before it migrates, for the compiler. It asks no server.</summary>
internal static class MigratorOptions
{
    /// <exception cref="TenantMigrationException">An option can't be honoured; the message says what to do.</exception>
    public static void Check(DbContext context)
    {
        var options = context.GetService<IDbContextOptions>();
        OptionRules.RefuseSeeding(options);
        var relational = options.Extensions.OfType<RelationalOptionsExtension>().Single();
        if (relational.MigrationsHistoryTableSchema != TenantPlaceholder.Schema)
        {
            throw new TenantMigrationException(
                "The history table of a tenant context belongs into the tenant's schema: configure it by " +
                "UseTenancy(), after UseNpgsql().");
        }

        var history = context.GetService<IHistoryRepository>();
        var create = history.GetCreateScript();
        if (!create.Contains("\"MigrationId\"", StringComparison.Ordinal))
        {
            throw new TenantMigrationException(
                $"{history.GetType().Name} makes a history table without the column \"MigrationId\", which runs " +
                "read. Leave its name as it is.");
        }

        WarnOfPendingChanges(context);
    }

    /// <summary>As EF's migrator does: an error unless the options say otherwise.</summary>
    private static void WarnOfPendingChanges(DbContext context)
    {
        var warning = context.GetService<IDbContextOptions>().FindExtension<CoreOptionsExtension>()?
            .WarningsConfiguration.GetBehavior(RelationalEventId.PendingModelChangesWarning);
        if (warning == WarningBehavior.Ignore
            || context.GetService<IMigrationsAssembly>().ModelSnapshot is null
            || !context.Database.HasPendingModelChanges())
        {
            return;
        }

        if (warning is null or WarningBehavior.Throw)
        {
            throw new TenantMigrationException(
                $"The model of {context.GetType().Name} has changes that no migration makes. Add one: dotnet ef " +
                $"migrations add NAME --context {context.GetType().Name}.");
        }

        context.GetService<IDiagnosticsLogger<DbLoggerCategory.Migrations>>().PendingModelChangesWarning(
            context.GetType());
    }
}

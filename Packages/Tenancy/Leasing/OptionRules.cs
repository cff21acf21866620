// Of the services that are replaced, INpgsqlRelationalConnection and INpgsqlValueGeneratorCache are internal by name
// and ILiftableConstantProcessor is experimental; see TenantConnection, TenantSequenceStates and SharedRowReaders.
#pragma warning disable EF1001, EF9100

using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.EntityFrameworkCore.Update;
using Npgsql.EntityFrameworkCore.PostgreSQL.Storage.Internal;
using Npgsql.EntityFrameworkCore.PostgreSQL.ValueGeneration.Internal;
using Tenancy.Migrations;
using Tenancy.Queries;
using Tenancy.Sql;

namespace Tenancy.Leasing;

/// <summary>
/// Which of EF's services a tenant's context has from this library, and which of EF's options can't be honoured. Those
/// are refused: an option without effect looks like one that works.
/// </summary>
internal static class OptionRules
{
    /// <summary>Service and implementation.</summary>
    public static readonly IReadOnlyDictionary<Type, Type> Replaced = new Dictionary<Type, Type>
    {
        [typeof(IRelationalCommandBuilderFactory)] = typeof(TenantCommandFactory),
        [typeof(INpgsqlRelationalConnection)] = typeof(TenantConnection),
        [typeof(IQueryContextFactory)] = typeof(LeasedQueries),
        [typeof(ICompiledQueryCacheKeyGenerator)] = typeof(TenantQueryKeys),
        [typeof(ILiftableConstantProcessor)] = typeof(SharedRowReaders),
        [typeof(ICommandBatchPreparer)] = typeof(SingleCommandPreparer),
        [typeof(IMigrationsAssembly)] = typeof(TenantMigrationsAssembly),
        [typeof(IMigrationsSqlGenerator)] = typeof(TenantMigrationsSqlGenerator),
        [typeof(IModificationCommandBatchFactory)] = typeof(TenantBatchFactory),
        [typeof(IRelationalDatabaseCreator)] = typeof(TenantDatabaseCreator),
        [typeof(INpgsqlValueGeneratorCache)] = typeof(TenantSequenceStates),
    };

    /// <summary>
    /// These save time, tell a health check that the server answers, or read migrations that name another schema: an
    /// application that replaces one loses that.
    /// </summary>
    private static readonly Type[] Replaceable = [typeof(ICompiledQueryCacheKeyGenerator),
        typeof(ILiftableConstantProcessor), typeof(ICommandBatchPreparer), typeof(IRelationalDatabaseCreator),
        typeof(IMigrationsAssembly)];

    /// <summary>See <see cref="TenancyOptions.EfOptimizations"/>.</summary>
    private static readonly Type[] Optimizations = [typeof(ILiftableConstantProcessor), typeof(ICommandBatchPreparer)];

    /// <summary>
    /// EF's own migrator uses these; a run doesn't, because it applies text that was compiled before.
    /// </summary>
    private static readonly Type[] Unused = [typeof(IMigrator), typeof(IMigrationCommandExecutor)];

    /// <summary>Replaces the services, except those that the application may replace and has replaced.</summary>
    /// <param name="options">With <see cref="TenancyExtension"/>.</param>
    /// <param name="optimizes">See <see cref="TenancyOptions.EfOptimizations"/>.</param>
    /// <exception cref="InvalidOperationException">The application replaced one of the others.</exception>
    public static void Replace(DbContextOptionsBuilder options, bool optimizes)
    {
        RefuseOthers(options.Options);
        var core = options.Options.FindExtension<CoreOptionsExtension>() ?? new();
        var others = core.ReplacedServices?.Keys.Select(replaced => replaced.Item1).ToHashSet() ?? [];
        foreach (var (service, ours) in Replaced.Where(one =>
            !others.Contains(one.Key) && (optimizes || !Optimizations.Contains(one.Key))))
        {
            core = core.WithReplacedService(service, ours);
        }

        ((IDbContextOptionsBuilderInfrastructure)options).AddOrUpdateExtension(core);
    }

    /// <summary>
    /// For the end of the configuration. A context that lost the command factory would send statements without guard
    /// and schema.
    /// </summary>
    /// <exception cref="InvalidOperationException">The application replaced one of the services.</exception>
    public static void RefuseOthers(IDbContextOptions options)
    {
        var switches = options.FindExtension<TenancyExtension>()?.Roles is not null;
        foreach (var ((service, _), other) in options.FindExtension<CoreOptionsExtension>()?.ReplacedServices
            ?? new Dictionary<(Type, Type?), Type>())
        {
            if (Replaced.TryGetValue(service, out var ours) && other != ours && !MayBeAnother(service, switches))
            {
                throw new InvalidOperationException(
                    $"ReplaceService<{service.Name}, {other.Name}>(): a tenant's context has {ours.Name} there, " +
                    "which keeps tenants apart or makes their migrations. Remove that call.");
            }

            if (Unused.Contains(service))
            {
                throw new InvalidOperationException(
                    $"ReplaceService<{service.Name}, {other.Name}>() has no effect on a tenant's context: its " +
                    "migrations are compiled once and run by FleetMigrator and SchemaProvisioner. Remove that call.");
            }
        }
    }

    /// <summary>
    /// Neither provisioning nor a run calls a seeding delegate. EF calls it after each migration, for a context that
    /// its application made; here there is none: a schema may be a spare, nobody's yet.
    /// </summary>
    /// <exception cref="InvalidOperationException">There is one.</exception>
    public static void RefuseSeeding(IDbContextOptions options)
    {
        if (options.FindExtension<CoreOptionsExtension>() is { } core
            && (core.Seeder is not null || core.AsyncSeeder is not null))
        {
            throw new InvalidOperationException(
                "UseSeeding and UseAsyncSeeding have no effect on a tenant's context: schemas are made and migrated " +
                "without one. For rows that every tenant has, use HasData or migrationBuilder.InsertData. For a new " +
                "tenant's first rows, call SeedNew<TContext>(...) in AddTenancy: it writes them in the transaction that makes " +
                "the tenant. Without the builder, SchemaProvisioner.ProvisionAsync has that transaction.");
        }
    }

    /// <summary>The provider's batches differ from ours only behind a switch of roles.</summary>
    private static bool MayBeAnother(Type service, bool switches) => Replaceable.Contains(service)
        || (service == typeof(IModificationCommandBatchFactory) && !switches);
}

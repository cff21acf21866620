using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Tenancy.Fleet;
using Tenancy.Sql;

namespace Tenancy.Tasks;

/// <summary>The services of all workers of a process.</summary>
/// <param name="Database">The owner's.</param>
/// <param name="Versions">Those that the ledger names.</param>
/// <param name="Tenancy">Knows whose a schema is.</param>
/// <param name="Scopes">Serve tenants.</param>
/// <param name="Shared">What a task's SQL may name besides the tenant's own.</param>
/// <param name="Time">The clock.</param>
/// <param name="Log">The tasks'.</param>
internal sealed record TaskEngine(
    NpgsqlDataSource Database, SchemaVersions Versions, TenancyOptions Tenancy, IServiceScopeFactory Scopes,
    Lazy<AllowList> Shared, TimeProvider Time, ILogger Log)
{
    /// <summary>The tenant of a schema, whether it is served or not; null when it is nobody's.</summary>
    public async Task<Tenant?> FindTenantAsync(SchemaName schema, CancellationToken ct)
    {
        await using var scope = Scopes.CreateAsyncScope();
        var slugs = await Tenancy.FindSlugs!(scope.ServiceProvider, [schema], ct);
        return slugs.TryGetValue(schema, out var slug)
            && (await Tenancy.FindTenant!(scope.ServiceProvider, slug, ct))?.Tenant is { } tenant
            && tenant.Schema == schema
                ? tenant
                : null;
    }
}

/// <summary>The state that the workers of one task's run share.</summary>
internal sealed class TaskRun(Guid id, TenantTask task, FleetPlan plan, DateTime since,
    IProgress<FleetProgress>? watcher, TimeProvider time) : RunState(id, plan, since, watcher, time)
{
    public TenantTask Task => task;

    public TaskDue Due(int? ring) => DueSince(task, Plan, ring, Since);

    /// <summary>The same before there is a run.</summary>
    public static TaskDue DueBefore(TenantTask task, FleetPlan plan) => DueSince(task, plan, plan.Ring, TaskDue.Ever);

    private static TaskDue DueSince(TenantTask task, FleetPlan plan, int? ring, DateTime since) => new(
        task.Name, ring, since, plan.Only?.Select(schema => schema.Value).ToArray(), plan.OnlyFailed);
}

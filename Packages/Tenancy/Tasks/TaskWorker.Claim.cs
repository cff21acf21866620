using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Tenancy.Tasks;

/// <summary>One claim: the tenant's work in its transaction, and what an error there means.</summary>
internal sealed partial class TaskWorker
{
    private const string BeforeTask = "before_task";

    /// <summary>Claims one tenant and does its work in one transaction.</summary>
    /// <param name="due">Whom.</param>
    /// <param name="after">Where the last claim ended; empty when one is claimed by its name.</param>
    /// <param name="attempt">How often it is tried, with this.</param>
    /// <param name="ct">Ends the work; nothing of it stays.</param>
    /// <returns>Null when there was nobody to claim.</returns>
    private async Task<Taken?> ClaimAsync(TaskDue due, string after, int attempt, CancellationToken ct)
    {
        // A connection for each tenant: the pool resets what a task's own code left in the session.
        await using var connection = await engine.Database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (await TasksTable.ClaimAsync(connection, due, after, run.Plan, ct) is not { } schema)
        {
            return null;
        }

        Pass(schema);
        var claimed = await TasksTable.ReadAsync(connection, due, schema, ct);
        if (claimed.Over)
        {
            return new(schema);
        }

        using var span = TenancyTelemetry.Start(TenancyTelemetry.RunTaskForTenant);
        span?.SetTag(TenancyTelemetry.Task, run.Task.Name).SetTag(TenancyTelemetry.Ring, ring)
            .SetTag(TenancyTelemetry.Namespace, TenancyTelemetry.NamespaceOf(connection.Database, schema.Value));
        // PostgreSQL aborts the whole transaction on an error. The savepoint keeps the claim.
        await transaction.SaveAsync(BeforeTask, ct);
        Tenant? tenant = null;
        try
        {
            await RefuseUnmigratedAsync(claimed, ct);
            tenant = await engine.FindTenantAsync(schema, ct)
                ?? throw new InvalidOperationException(
                    "no tenant of the registry has this schema: the command verify says what differs");
            var started = engine.Time.GetTimestamp();
            await WorkAsync(tenant, transaction, ct);
            LogDone(engine.Log, run.Task.Name, schema, engine.Time.GetElapsedTime(started).TotalMilliseconds);
            run.Succeeded(1);
            return new(schema);
        }
        catch (Exception error) when (error.IsTheTenantsOwn(ct))
        {
            if (error.Said() is { } said && said.GivesWay() && attempt < run.Plan.Attempts)
            {
                LogConflict(engine.Log, run.Task.Name, schema, error.Words());
                return new(schema, Conflict: true);
            }

            await FailAsync(connection, schema, error.Words(), ct);
            Report(schema, tenant?.Slug, error.Words());
            return new(schema);
        }
    }

    /// <summary>The task's code expects the tables of this build.</summary>
    private async Task RefuseUnmigratedAsync(ClaimedTenant claimed, CancellationToken ct)
    {
        await engine.Versions.LearnAsync(claimed.Version, ct);
        var why = claimed.Failed
            ? "its last migration failed: mend what failed, migrate it (retry), then run the task again"
            : engine.Versions.StandingOf(claimed.Version) switch
            {
                VersionStanding.Behind =>
                    "it lacks migrations of this build: migrate it first, then run the task again",
                VersionStanding.AheadAndBreaking =>
                    "a newer build has migrated it and breaks this one: run the task by the newer build",
                _ => null,
            };
        if (why is not null)
        {
            throw new InvalidOperationException(why);
        }
    }

    /// <summary>The task's work, and the record of it, up to the commit.</summary>
    private async Task WorkAsync(Tenant tenant, NpgsqlTransaction transaction, CancellationToken ct)
    {
        await using var scope = new TenantScope(engine.Scopes.CreateAsyncScope(), tenant);
        using var logged = engine.Log.BeginTenantScope(tenant.Slug);
        var context = new TenantTaskContext(scope, transaction, engine.Shared.Value);
        try
        {
            await run.Task.RunAsync(context, ct);
            await context.SaveAsync(ct);
        }
        finally
        {
            await context.DisposeContextsAsync();
        }

        await using var batch = new NpgsqlBatch(transaction.Connection, transaction);
        // Deferred constraints fail here, under the claim, and not at the commit.
        batch.BatchCommands.Add(new("SET CONSTRAINTS ALL IMMEDIATE"));
        // It fails if the task has ended the transaction: then "done" would be written without the claim.
        batch.BatchCommands.Add(new($"RELEASE SAVEPOINT {BeforeTask}"));
        TasksTable.AddDone(batch, run.Task.Name, tenant.Schema);
        await batch.ExecuteNonQueryAsync(ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>
    /// Records the failure at the savepoint, under the claim: otherwise another process could try the tenant again. A
    /// task that has ended its transaction, or left its connection busy, has lost the claim: another connection records
    /// it.
    /// </summary>
    private async Task FailAsync(NpgsqlConnection connection, SchemaName schema, string words, CancellationToken ct)
    {
        try
        {
            await ExecuteAsync(connection, $"ROLLBACK TO SAVEPOINT {BeforeTask}", ct);
            await using var record = connection.CreateCommand();
            await TasksTable.FailAsync(record, run.Task.Name, schema, words, ct);
            await ExecuteAsync(connection, "COMMIT", ct);
        }
        catch (Exception e) when (e is InvalidOperationException or NpgsqlException { IsTransient: false })
        {
            await connection.DisposeAsync();
            await using var record = engine.Database.CreateCommand();
            await TasksTable.FailAsync(record, run.Task.Name, schema, words, ct);
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }
}

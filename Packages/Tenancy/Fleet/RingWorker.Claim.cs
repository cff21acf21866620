using System.Data;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Npgsql;
using Tenancy.Backends;
using Tenancy.Ledgers;

namespace Tenancy.Fleet;

/// <summary>One claim: what is done in its transaction, and what an error there means.</summary>
internal sealed partial class RingWorker
{
    /// <summary>Claims and migrates in one transaction.</summary>
    /// <param name="session">The worker's.</param>
    /// <param name="due">Whom.</param>
    /// <param name="after">Where the last group ended; null when one is claimed by its name.</param>
    /// <param name="size">How many.</param>
    /// <param name="attempt">How often it is tried, with this.</param>
    /// <param name="begun">The migration outside a transaction that this worker has just announced.</param>
    /// <param name="ct">Ends the work; nothing of it stays.</param>
    /// <returns>Null when there was nothing to claim.</returns>
    private async Task<Taken?> MigrateAsync(
        WorkerSession session, Due due, string? after, int size, int attempt, string? begun, CancellationToken ct)
    {
        var connection = await session.OpenAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var claimed = await LedgerTable.ClaimAsync(connection, due, after ?? "", size, run.Plan, ct);
        if (claimed.Count == 0)
        {
            return null;
        }

        Pass(claimed, inOrder: after is not null);
        var group = new Group(connection, transaction, claimed, size == 1, attempt, engine.Time.GetTimestamp());
        using var span = TenancyTelemetry.Start(TenancyTelemetry.MigrateGroup);
        span?.SetTag(TenancyTelemetry.Ring, ring.Number).SetTag(TenancyTelemetry.Schemas, claimed.Count);
        group.Slugs = span is { IsAllDataRequested: true } ? await SlugsAsync(group.Schemas, ct) : null;
        if (group.Alone)
        {
            // An error ends the whole transaction on the server at once, the claim with it; up to a savepoint, the
            // claim stays.
            await transaction.SaveAsync(BeforeMigrations, ct);
            span?.SetTag(TenancyTelemetry.Namespace, Namespace(group, claimed[0].Schema))
                .SetTag(TenancyTelemetry.Tenant, group.Slugs?.GetValueOrDefault(claimed[0].Schema));
        }

        try
        {
            var histories = await LedgerTable.LockHistoriesAsync(connection, group.Schemas, engine.Build.HistoryTable, ct);
            var todo = SchemaTodo.Of(group.Schemas, histories, run.Work);
            if (group.Alone && todo[0].Steps.BeginsOutside)
            {
                return await OutsideAsync(group, todo[0], begun, ct);
            }

            var taken = await InsideAsync(group, todo, ct);
            session.Took(group.Schemas, engine.Time.GetElapsedTime(group.Started), ring.Footprint);
            return taken;
        }
        catch (Exception error)
            when (error is NotSupportedException
                || (error is PostgresException said && said.IsTheSchemasOwn(engine.IsCitus)))
        {
            if (!group.Alone)
            {
                await RollBackAsync(group, ct);
                // Some statements run by themselves and not inside another one, SELECT INTO for instance. Who is in the
                // way says nothing of that.
                _together &= error is PostgresException inTheWay && inTheWay.GivesWay();
                LogGroupFailed(engine.Log, claimed.Count, claimed[0].Schema, claimed[^1].Schema, Words(error));
                return new(group.Schemas);
            }

            if (GivesWay(group, error))
            {
                await RollBackAsync(group, ct);
                return await GiveWayAsync(group, error, ct);
            }

            if (!IsOpen(group) || (error is PostgresException lost && lost.IsLostNode()))
            {
                return await FailAnewAsync(session, group, due, error, ct);
            }

            await transaction.RollbackAsync(BeforeMigrations, ct);
            return await FailAsync(group, error, ct);
        }
    }

    /// <summary>
    /// All of the group in one round trip; a schema alone migration by migration, so that an error can be told of one.
    /// </summary>
    private async Task<Taken> InsideAsync(Group group, List<SchemaTodo> todo, CancellationToken ct)
    {
        var inside = todo.Where(schema => !schema.Steps.BeginsOutside).ToList();
        var ledger = "";
        foreach (var same in inside.GroupBy(schema => schema.Steps))
        {
            // Never inside this transaction: who else brings a schema to that version would wait for its end.
            var version = await engine.Versions.RecordAsync(same.Key.After, ct);
            var complete = same.Key.Left == 0;
            if (!complete)
            {
                run.AddDue(version);
            }

            ledger += LedgerTable.Succeeded(same.Select(schema => schema.Schema), version, complete, group.Schemas.Length);
        }

        if (group.Alone)
        {
            foreach (var step in todo[0].Steps.Inside)
            {
                group.Step = step.Id;
                await ExecuteAsync(
                    group.Connection, DoBlock.WhereCutWrongly(step.Sql.Script(todo[0].Schema)), ct);
            }

            group.Step = "writing the ledger";
        }
        else
        {
            ledger = string.Concat(
                inside.SelectMany(schema => schema.Steps.Inside.Select(step => step.Sql.Script(schema.Schema)))
                    .Append(ledger));
            ledger = _together && ledger.Length > 0 ? DoBlock.Of(ledger) : DoBlock.WhereCutWrongly(ledger);
        }

        await ExecuteAsync(group.Connection, ledger, ct);
        await group.Transaction.CommitAsync(ct);
        Succeed(group, inside.Count(schema => schema.Steps.Left == 0), [.. inside.Select(schema => schema.Schema)]);
        return new(
            [.. todo.Where(schema => schema.Steps.BeginsOutside || schema.Steps.Left > 0)
                .Select(schema => schema.Schema)]);
    }

    /// <summary>
    /// A migration that can't run in a transaction, over a connection of its own, while this transaction holds the
    /// claim. That it begins is written down first, and committed: who finds it so later knows that a part of it may be
    /// there.
    /// </summary>
    private async Task<Taken> OutsideAsync(Group group, SchemaTodo todo, string? begun, CancellationToken ct)
    {
        var (schema, step) = (todo.Schema, todo.Steps.All[0]);
        group.Step = step.Id;
        if (group.Claimed[0].Unfinished != step.Id)
        {
            await LedgerTable.BeginUnfinishedAsync(group.Connection, schema, step.Id, ct);
            await group.Transaction.CommitAsync(ct);
            return new([schema], Begun: step.Id);
        }

        var version = await engine.Versions.RecordAsync(todo.Steps.AfterFirst, ct);
        var complete = todo.Steps.All.Count == 1;
        if (!complete)
        {
            run.AddDue(version);
        }

        // The last query's portal keeps its snapshot until another command takes its place, and an index that is built
        // concurrently waits for all older snapshots: for this one for ever.
        await ExecuteAsync(group.Connection, $"RELEASE SAVEPOINT {BeforeMigrations}", ct);
        try
        {
            await using var other = await engine.Database.OpenConnectionAsync(ct);
            await RunLimits.SetAsync(other, run.Plan.StatementTimeout, ct);
            Backend.Meet(other, schema, ring.Footprint);
            foreach (var command in begun == step.Id ? [step.Sql.Script(schema)] : step.Sql.Again(schema))
            {
                await ExecuteAsync(other, command, ct, run.Plan.StatementTimeout);
            }
        }
        catch (PostgresException error) when (error.IsTheSchemasOwn(engine.IsCitus) && !error.IsLostNode())
        {
            // What failed is the other connection: this one still holds the claim.
            return GivesWay(group, error) ? await GiveWayAsync(group, error, ct) : await FailAsync(group, error, ct);
        }

        await ExecuteAsync(
            group.Connection, step.Sql.History(schema) + LedgerTable.Succeeded([schema], version, complete, 1), ct);
        await group.Transaction.CommitAsync(ct);
        Succeed(group, complete ? 1 : 0, [schema]);
        return new(complete ? [] : [schema]);
    }

    private bool GivesWay(Group group, Exception error) =>
        error is PostgresException said && said.GivesWay() && group.Attempt < run.Plan.Attempts;

    private async Task<Taken> GiveWayAsync(Group group, Exception error, CancellationToken ct)
    {
        // Let go before the wait.
        await group.Transaction.DisposeAsync();
        var slug = (await SlugsAsync(group.Schemas, ct)).GetValueOrDefault(group.Schemas[0]);
        using (slug is null ? null : engine.Log.BeginTenantScope(slug))
        {
            LogRetry(engine.Log, group.Schemas[0], group.Step, Words(error));
        }

        await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(50, 250) * group.Attempt), engine.Time, ct);
        return new(group.Schemas, InTheWay: true);
    }

    /// <summary>
    /// Npgsql gives up a connection whose server reports an internal error or a lost node, and Citus refuses to commit
    /// what a lost node took part in. So the claim is lost. The schema is claimed again, unless another worker was
    /// quicker: that one fails or succeeds itself.
    /// </summary>
    private async Task<Taken> FailAnewAsync(
        WorkerSession session, Group group, Due due, Exception error, CancellationToken ct)
    {
        await RollBackAsync(group, ct);
        var connection = await session.OpenAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var claimed = await LedgerTable.ClaimAsync(
            connection, due with { Only = [group.Schemas[0].Value] }, "", 1, run.Plan, ct);
        return claimed.Count == 0
            ? new([])
            : await FailAsync(group with { Connection = connection, Transaction = transaction }, error, ct);
    }

    private static async Task RollBackAsync(Group group, CancellationToken ct)
    {
        if (IsOpen(group))
        {
            await group.Transaction.RollbackAsync(ct);
        }
    }

    private static bool IsOpen(Group group) => group.Connection.State == ConnectionState.Open;

    /// <summary>Under the claim, at the savepoint: or another worker of any process would try again.</summary>
    private async Task<Taken> FailAsync(Group group, Exception error, CancellationToken ct)
    {
        var (schema, words) = (group.Schemas[0], $"{group.Step}: {Words(error)}");
        await LedgerTable.FailAsync(group.Connection, schema, words, run.Plan.Down, ct);
        await group.Transaction.CommitAsync(ct);
        await ReportAsync(schema, words, ct);
        return new([]);
    }

    /// <summary>Tells that a schema failed, wherever it is told.</summary>
    private async Task ReportAsync(SchemaName schema, string words, CancellationToken ct)
    {
        var slug = (await SlugsAsync([schema], ct)).GetValueOrDefault(schema);
        using var scope = slug is null ? null : engine.Log.BeginTenantScope(slug);
        using var span = TenancyTelemetry.Start(TenancyTelemetry.MigrateFailed);
        span?.SetTag(TenancyTelemetry.Namespace, TenancyTelemetry.NamespaceOf(engine.Database, schema))
            .SetTag(TenancyTelemetry.Tenant, slug).SetStatus(ActivityStatusCode.Error, words);
        run.Fail(schema, words);
        LogFailed(engine.Log, schema, words);
        engine.Metrics?.FailedToMigrate();
        if (Interlocked.Increment(ref _failures) > ring.AllowedFailures && !run.Plan.Isolate)
        {
            run.Halt($"{_failures} schemas of ring {ring.Number} failed, and {ring.AllowedFailures} may");
        }
    }

    private void Succeed(Group group, int complete, IReadOnlyCollection<SchemaName> schemas)
    {
        var elapsed = engine.Time.GetElapsedTime(group.Started);
        if (Activity.Current is { IsAllDataRequested: true } span && group.Slugs is { } slugs)
        {
            Trace(span, group, schemas, slugs);
        }

        engine.Metrics?.GroupTook(elapsed);
        engine.Metrics?.Migrated(complete);

        LogMigrated(engine.Log, schemas.Count, group.Schemas[0], group.Schemas[^1], elapsed.TotalMilliseconds);
        run.Succeeded(complete);
    }

    /// <summary>A span for each schema, as long as its group's: who looks for one tenant finds its migration.</summary>
    private static void Trace(Activity span, Group group, IReadOnlyCollection<SchemaName> schemas,
        IReadOnlyDictionary<SchemaName, string> slugs)
    {
        foreach (var schema in schemas)
        {
            using var migrated = TenancyTelemetry.Source.StartActivity(
                TenancyTelemetry.MigrateSchema, ActivityKind.Internal, span.Context, startTime: span.StartTimeUtc);
            migrated?.SetTag(TenancyTelemetry.Tenant, slugs.GetValueOrDefault(schema))
                .SetTag(TenancyTelemetry.Namespace, Namespace(group, schema));
        }
    }

    private async Task<IReadOnlyDictionary<SchemaName, string>> SlugsAsync(
        IReadOnlyCollection<SchemaName> schemas, CancellationToken ct) =>
            engine.Slugs is null ? new Dictionary<SchemaName, string>() : await engine.Slugs.OfAsync(schemas, ct);

    private static string Namespace(Group group, SchemaName schema) =>
        TenancyTelemetry.NamespaceOf(group.Connection.Database, schema.Value);

    private static string Words(Exception error) =>
        error is PostgresException said ? $"{said.SqlState}: {said.MessageText}" : error.Message;

    private static async Task ExecuteAsync(
        NpgsqlConnection connection, string sql, CancellationToken ct, TimeSpan? limit = null)
    {
        if (sql.Length > 0)
        {
            await using var command = new NpgsqlCommand(sql,
                connection) { CommandTimeout = limit is { } time ? Math.Max(1, (int)time.TotalSeconds) : 0 };
            await command.ExecuteNonQueryAsync(ct);
        }
    }

    [LoggerMessage(LogLevel.Debug, "Migrated {Count} schemas, {First} to {Last}, in {Milliseconds:0} ms.")]
    private static partial void LogMigrated(
        ILogger log, int count, SchemaName first, SchemaName last, double milliseconds);

    [LoggerMessage(LogLevel.Information,
        "{Count} schemas, {First} to {Last}, can't be migrated together ({Error}): one by one now.")]
    private static partial void LogGroupFailed(ILogger log, int count, SchemaName first, SchemaName last, string error);

    [LoggerMessage(LogLevel.Warning, "{Schema} is in use ({Step}: {Error}); trying again.")]
    private static partial void LogRetry(ILogger log, SchemaName schema, string step, string error);

    [LoggerMessage(LogLevel.Error, "Could not migrate {Schema}, it stays as it was: {Error}")]
    private static partial void LogFailed(ILogger log, SchemaName schema, string error);

    [LoggerMessage(LogLevel.Warning, "The database can't be reached ({Error}); trying again.")]
    private static partial void LogAbsent(ILogger log, string error);

    /// <summary>A claim in its transaction.</summary>
    private sealed record Group(NpgsqlConnection Connection, NpgsqlTransaction Transaction,
        IReadOnlyList<ClaimedSchema> Claimed, bool Alone, int Attempt, long Started)
    {
        public SchemaName[] Schemas { get; } = [.. Claimed.Select(claim => claim.Schema)];

        /// <summary>The slugs of the schemas' tenants; null while nobody listens.</summary>
        public IReadOnlyDictionary<SchemaName, string>? Slugs { get; set; }

        /// <summary>The step that was running, for an error's message.</summary>
        public string Step { get; set; } = "reading the history";
    }

    /// <summary>The result of a claim.</summary>
    /// <param name="Left">Schemas that have still something to be done, each on its own.</param>
    /// <param name="InTheWay">Somebody held a lock.</param>
    /// <param name="Begun">The migration outside a transaction that was announced.</param>
    private sealed record Taken(IReadOnlyList<SchemaName> Left, bool InTheWay = false, string? Begun = null);
}

using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Tenancy.Backends;
using Tenancy.Citus;
using Tenancy.Databases;
using Tenancy.Doctor;
using Tenancy.Drift;
using Tenancy.Fleet;
using Tenancy.Ledgers;

namespace Tenancy;

/// <summary>
/// Brings every schema to the build's version: ring after ring, groups of schemas in a transaction each, several at
/// once, one failure apart from the others.
/// </summary>
public sealed partial class FleetMigrator(NpgsqlDataSource database, CompiledMigrations migrations,
    SchemaVersions versions, TimeProvider time, ILogger<FleetMigrator> log, TenancyMetrics? metrics = null)
{
    /// <summary>Finds the slugs of schemas, for telemetry.</summary>
    internal TenantSlugs? Slugs { get; init; }

    /// <summary>Finds what would block a run; null to look for nothing.</summary>
    internal TenancyDoctor? Doctor { get; init; }

    /// <summary>The databases besides the first one, for what goes over all; null for none.</summary>
    internal TenantDatabases? Others { get; init; }

    /// <summary>Vacuums the catalogs after a run; null to leave that to autovacuum.</summary>
    internal CatalogVacuum? Vacuum { get; init; }

    /// <inheritdoc cref="RunAsync(FleetPlan, IProgress{FleetProgress}, CancellationToken, CancellationToken)"/>
    public Task<FleetReport> RunAsync(FleetPlan plan, CancellationToken ct = default) =>
        RunAsync(plan, progress: null, stop: default, ct);

    /// <summary>
    /// Migrates what the plan says. Several processes may run this at once: schemas are claimed by their ledger rows,
    /// so they share the work, and each returns only when nothing is left to do. Interrupted, it leaves every schema
    /// either migrated or as it was.
    /// </summary>
    /// <param name="plan">What to do.</param>
    /// <param name="progress">Told after every group.</param>
    /// <param name="stop">Ends the run after the groups in hand; the report says so.</param>
    /// <param name="ct">Ends it at once: what the groups in hand have done is rolled back.</param>
    /// <exception cref="NpgsqlException">The database itself failed: the run is not over and can be started
    /// again.</exception>
    /// <exception cref="ArgumentException">The plan can't be carried out; the message says why.</exception>
    public async Task<FleetReport> RunAsync(
        FleetPlan plan, IProgress<FleetProgress>? progress, CancellationToken stop, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentOutOfRangeException.ThrowIfLessThan(plan.Workers, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(plan.Group, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(plan.Attempts, 1);
        using var span = TenancyTelemetry.Start(TenancyTelemetry.MigrateFleet);
        try
        {
            var report = await RunOnceAsync(plan, progress, stop, ct);
            if (report.Migrated > 0 && Vacuum is { } vacuum)
            {
                await vacuum.RunAsync(ct);
            }

            await DescribeAsync(span, plan, report, ct);
            return report;
        }
        catch (Exception e)
        {
            span?.SetStatus(ActivityStatusCode.Error, e.Message);
            throw;
        }
    }

    /// <summary>Asks all runs of this database that are alive to end after the groups in hand.</summary>
    /// <param name="reason">Who asks, and why; their reports repeat it.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>How many there were.</returns>
    public Task<int> HaltAsync(string reason, CancellationToken ct = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(reason);
        return RunsTable.HaltAsync(database, reason, ct);
    }

    /// <summary>
    /// Asks all runs of all databases that are alive to end after the groups in hand, or those of one database. With
    /// several, one that doesn't answer keeps no other from being asked.
    /// </summary>
    /// <param name="reason">Who asks, and why; their reports repeat it.</param>
    /// <param name="only">One of <see cref="TenancyOptions.Databases"/>, or
    /// <see cref="TenancyOptions.FirstDatabase"/>; null for all.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="ArgumentException">There is no such database.</exception>
    /// <exception cref="NpgsqlException">The only database that was to be asked doesn't answer.</exception>
    public async Task<FleetHalt> HaltAllAsync(string reason, string? only = null, CancellationToken ct = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(reason);
        var (isFirst, others) = Others?.Chosen(only) ?? (true, []);
        (string Name, FleetMigrator Fleet)[] asked =
        [
            .. isFirst ? [(TenancyOptions.FirstDatabase, this)] : Array.Empty<(string, FleetMigrator)>(),
            .. others.Select(one => (one.Name, one.GetRequiredService<FleetMigrator>())),
        ];
        var (runs, unreached) = (0, new List<string>());
        foreach (var (name, fleet) in asked)
        {
            try
            {
                runs += await fleet.HaltAsync(reason, ct);
            }
            catch (Exception e) when (asked.Length > 1 && e is (NpgsqlException or TimeoutException))
            {
                unreached.Add(name);
            }
        }

        return new(runs, unreached);
    }

    private async Task<FleetReport> RunOnceAsync(
        FleetPlan plan, IProgress<FleetProgress>? progress, CancellationToken stop, CancellationToken ct)
    {
        var started = time.GetTimestamp();
        var work = FleetWork.Of(plan, migrations);
        if (plan.Only is { Count: > 0 } named)
        {
            // Who names a customer may have restored its backup: its history says what it has.
            await LedgerRepair.FromHistoriesAsync(
                database, migrations, versions, named.Select(schema => schema.Value), ct);
        }

        if (await DueVersionsAsync(work, ct) is not [_, ..] due)
        {
            return new(0, [], time.GetElapsedTime(started));
        }

        var citus = await CitusEngine.IsPresentAsync(database, ct) ? await CitusLimits.ReadAsync(database, ct) : null;
        if (citus is { Workers: var most } && most < plan.Workers)
        {
            LogFewerWorkers(log, plan.Workers, citus.PoolSize, citus.Connections, most);
            plan = plan with { Workers = most };
        }

        await WarnOfBlockersAsync(ct);
        RunPool.RefuseTooSmall(
            database, plan, work.GoesOutside(due.Select(versions.Find)) ? 2 : 1, "for these migrations");
        var id = Guid.CreateVersion7();
        var since = await RunsTable.BeginAsync(
            database, id, plan.Down ? "down" : plan.OnlyFailed ? "retry" : "migrate", work.Target, plan.AskedBy, ct);
        var run = new FleetRun(id, plan, work, since, due, progress, time);
        if (await RunsTable.IsOpposedAsync(database, id, plan.Down, ct))
        {
            run.Halt(plan.Down
                ? "another run applies migrations: wait for its end, or halt it"
                : "another run takes migrations back: wait for its end, or halt it");
        }

        var outcome = await new RunHeartbeat(database, time, log).AroundAsync(
            run, () => MigrateRingsAsync(run, citus, stop, ct),
            ended => metrics?.RunTook(time.GetElapsedTime(started), ended), stop, ct);
        var report = run.Report(time.GetElapsedTime(started), stop);
        LogSummary(log, outcome, run.Progress.Total, report.Migrated, report.Failed.Count, report.Elapsed.TotalSeconds,
            work.Target is { Length: > 0 } last ? last : "none", report.Reason ?? "nothing stopped it");
        return report;
    }

    /// <summary>A run begins whatever is in its way: its locks time out, and it tries again.</summary>
    private async Task WarnOfBlockersAsync(CancellationToken ct)
    {
        try
        {
            foreach (var finding in Doctor is { } doctor ? await doctor.BlockersAsync(ct) : [])
            {
                if (finding.Verdict == DoctorVerdict.Over)
                {
                    LogBlocker(log, finding.Says, finding.Why, finding.Advice);
                }
            }
        }
        catch (NpgsqlException e)
        {
            LogNoBlockers(log, e.Message);
        }
    }

    /// <summary>Says on the run's span how many of how many were migrated.</summary>
    private async Task DescribeAsync(Activity? span, FleetPlan plan, FleetReport report, CancellationToken ct)
    {
        if (span is not { IsAllDataRequested: true })
        {
            return;
        }

        span.SetTag(TenancyTelemetry.Migrated, report.Migrated).SetTag(TenancyTelemetry.Failed, report.Failed.Count);
        span.SetStatus(
            report.Failed.Count > 0 || report.Outcome == FleetOutcome.Halted
                ? ActivityStatusCode.Error
                : ActivityStatusCode.Unset, report.Reason);
        try
        {
            using var unrecorded = TenancyTelemetry.Unrecorded();
            var considered = plan.Only?.Count ?? await LedgerTable.CountAsync(database, plan.Ring, ct);
            span.SetTag(TenancyTelemetry.Schemas, considered);
            span.DisplayName = string.Create(
                CultureInfo.InvariantCulture, $"{TenancyTelemetry.MigrateFleet} ({report.Migrated} of {considered})");
        }
        catch (NpgsqlException)
        {
            // The run has ended well without that number.
        }
    }

    /// <returns>The versions of schemas that have to be looked at; empty where nothing is pending.</returns>
    private async Task<IReadOnlyList<string>> DueVersionsAsync(FleetWork work, CancellationToken ct)
    {
        if (work.TargetVersion is { } target && !await LedgerTable.AnyOtherAsync(database, target, ct))
        {
            return [];
        }

        var found = await LedgerTable.VersionsAsync(database, ct);
        await versions.LearnAsync(found, ct);
        return [.. found.Where(version => work.IsDue(versions.Find(version)))];
    }

    private async Task MigrateRingsAsync(
        FleetRun run, CitusLimits? citus, CancellationToken stop, CancellationToken ct)
    {
        var plan = run.Plan;
        var rings = await LedgerTable.RingsAsync(database, run.Due(plan.Ring), ct);
        run.Expect(rings.Sum(ring => ring.Due));
        var group = await GroupSizeAsync(run, citus, ct);
        // What is locked is what the backend learns: tables, indexes, sequences.
        var footprint = new SchemaFootprint(run.LocksPerSchema(versions));
        // Now, for all workers: each would do it with another connection in its hands.
        foreach (var reached in run.Reached(versions))
        {
            await versions.RecordAsync(reached, ct);
        }

        foreach (var (at, (ring, due, size)) in rings.Index())
        {
            if (run.Halted is not null || stop.IsCancellationRequested)
            {
                return;
            }

            run.Enter(ring);
            // Who names schemas, or repeats what failed, means those and no gate.
            var allowed = plan.Only is not null || plan.OnlyFailed ? int.MaxValue : plan.AllowedFailures(ring, size);
            var worker = new RingWorker(
                new(database, migrations, versions, time, Slugs, log, metrics, citus is not null), run,
                new(ring, due, group, allowed, footprint));
            await Parallel.ForEachAsync(
                Enumerable.Range(0, plan.Workers),
                new ParallelOptions { MaxDegreeOfParallelism = plan.Workers, CancellationToken = ct },
                async (_, token) => await worker.WorkAsync(stop, token));
            if (at + 1 < rings.Count && run.Halted is null
                && await LedgerTable.FailedSinceAsync(database, ring, run.Since, ct) is var failed && failed > allowed)
            {
                run.Halt(
                    string.Create(CultureInfo.InvariantCulture,
                        $"{failed} schemas of ring {ring} failed, and {allowed} may: ring {rings[at + 1].Ring} " +
                        $"was not begun"));
            }
        }
    }

    /// <summary>
    /// As planned, or as many as the server's lock table holds: it belongs to all sessions, and half of it is left to
    /// the others.
    /// </summary>
    private async Task<int> GroupSizeAsync(FleetRun run, CitusLimits? citus, CancellationToken ct)
    {
        var capacity = citus?.Locks ?? await LockTableAsync(ct);
        var locks = run.LocksPerSchema(versions) * (citus is null ? 1 : CitusLimits.LocksPerEntry);
        var fits = (int)Math.Clamp(capacity / 2 / run.Plan.Workers / locks, 1, int.MaxValue);
        if (fits < run.Plan.Group)
        {
            LogSmallerGroups(log, locks, run.Plan.Group, run.Plan.Workers, capacity, fits);
        }

        return Math.Min(run.Plan.Group, fits);
    }

    private async Task<long> LockTableAsync(CancellationToken ct)
    {
        await using var ask = database.CreateCommand(
            """
            SELECT current_setting('max_locks_per_transaction')::bigint * (current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint)
            """);
        return (long)(await ask.ExecuteScalarAsync(ct))!;
    }

    [LoggerMessage(LogLevel.Information,
        "Migration run {Outcome}: {Total} schemas to migrate, {Migrated} migrated, {Failed} failed in {Seconds:0.0} " +
        "s; last migration {Target}; {Reason}.")]
    private static partial void LogSummary(
        ILogger log, string outcome, int total, int migrated, int failed, double seconds, string target, string reason);

    [LoggerMessage(LogLevel.Warning, "{Says} {Why} {Advice}")]
    private static partial void LogBlocker(ILogger log, string says, string why, string advice);

    [LoggerMessage(LogLevel.Debug, "It isn't known what would block the run: {Error}")]
    private static partial void LogNoBlockers(ILogger log, string error);

    [LoggerMessage(LogLevel.Warning,
        "A schema's migrations hold up to {Locks} locks until they commit: {Group} schemas times {Workers} workers " +
        "would take more than half of the server's lock table " +
            "({Capacity} entries, all sessions together), so a group has {Fits}. Raise max_locks_per_transaction for " +
            "larger ones.")]
    private static partial void LogSmallerGroups(
        ILogger log, int locks, int group, int workers, long capacity, int fits);

    [LoggerMessage(LogLevel.Warning,
        "{Workers} workers may open {PoolSize} connections each to a node of the Citus cluster, and the smallest node " +
        "has {Connections} for everybody: the run has {Most}. Raise max_connections of the nodes, or lower " +
        "citus.max_adaptive_executor_pool_size, for more.")]
    private static partial void LogFewerWorkers(ILogger log, int workers, int poolSize, int connections, int most);
}

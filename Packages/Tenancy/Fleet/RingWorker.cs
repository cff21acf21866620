using Microsoft.Extensions.Logging;
using Npgsql;
using Tenancy.Backends;
using Tenancy.Ledgers;

namespace Tenancy.Fleet;

/// <summary>The services of all workers of a process.</summary>
/// <param name="Database">The owner's.</param>
/// <param name="Build">This build's migrations.</param>
/// <param name="Versions">Those that the ledger names.</param>
/// <param name="Time">The clock.</param>
/// <param name="Slugs">Whose schemas they are, for spans and logs; null where nobody asks.</param>
/// <param name="Log">The migrator's.</param>
/// <param name="Metrics">The process's, if it has any.</param>
/// <param name="IsCitus">Whether the database is on a Citus cluster.</param>
internal sealed record FleetEngine(
    NpgsqlDataSource Database, CompiledMigrations Build, SchemaVersions Versions, TimeProvider Time, TenantSlugs? Slugs,
    ILogger Log, TenancyMetrics? Metrics, bool IsCitus);

/// <summary>The work in one ring.</summary>
/// <param name="Number">The ring's.</param>
/// <param name="Due">How many schemas are due.</param>
/// <param name="GroupSize">How many a group has at first.</param>
/// <param name="AllowedFailures">How many may fail before the run is halted.</param>
/// <param name="Footprint">Of one schema's migrations.</param>
internal sealed record RingTask(int Number, int Due, int GroupSize, int AllowedFailures, SchemaFootprint Footprint);

/// <summary>
/// One ring's schemas, migrated group by group. A group is claimed by its ledger rows, told apart from the others by
/// <c>SKIP LOCKED</c>, and migrated in the transaction that holds the claim. When it fails, its schemas are claimed
/// again one by one, so that only the guilty fail.
/// </summary>
internal sealed partial class RingWorker(FleetEngine engine, FleetRun run, RingTask ring)
{
    /// <summary>A group costs some milliseconds besides its migrations.</summary>
    private const int SmallestShare = 5;

    private const string BeforeMigrations = "before_migrations";

    private readonly Lock _lock = new();
    private string _after = "";
    private int _size = ring.GroupSize;
    private int _left = ring.Due;
    private int _inHand;
    private int _failures;
    private long? _heldSince;

    /// <summary>
    /// Whether a group's statements are sent as one. A limit of time is each statement's own. Citus distributes a table
    /// that a statement makes, and leaves one that a block makes on the coordinator, without a word.
    /// </summary>
    private volatile bool _together = run.Plan.StatementTimeout is null && !engine.IsCitus;

    /// <summary>
    /// Works until nothing of the ring is due, the run is halted or <paramref name="stop"/> says so. Several may work
    /// at once.
    /// </summary>
    public async Task WorkAsync(CancellationToken stop, CancellationToken ct)
    {
        await using var session = new WorkerSession(engine.Database);
        while (run.Halted is null && !stop.IsCancellationRequested)
        {
            try
            {
                if (!await TakeGroupAsync(session, stop, ct) && !await WaitForOthersAsync(ct))
                {
                    return;
                }
            }
            catch (NpgsqlException absent) when (absent.IsAbsence())
            {
                LogAbsent(engine.Log, absent.Message);
                if (!await run.WaitForServerAsync(ct))
                {
                    throw;
                }
            }
        }
    }

    /// <returns>False when there was nothing to claim.</returns>
    private async Task<bool> TakeGroupAsync(WorkerSession session, CancellationToken stop, CancellationToken ct)
    {
        // Towards the end smaller ones: nobody should have much in hand while the others have nothing.
        var share = Math.Max(Volatile.Read(ref _left) / run.Plan.Workers, SmallestShare);
        var (after, size) = (_after, Math.Min(share, Math.Min(_size, session.Fits(run.Plan.GroupTime))));
        Interlocked.Increment(ref _inHand);
        try
        {
            if (await MigrateAsync(session, run.Due(ring.Number), after, size, attempt: 1, begun: null, ct) is not { } taken)
            {
                return false;
            }

            foreach (var schema in taken.Left)
            {
                await FinishAsync(session, schema, taken, stop, ct);
            }

            return true;
        }
        finally
        {
            Interlocked.Decrement(ref _inHand);
        }
    }

    /// <summary>
    /// What was skipped because somebody held it, what a lost connection left, what another process left between two
    /// transactions: from the start, one by one.
    /// </summary>
    /// <returns>False when nothing is left to wait for, or another worker of this run is at it, and looks itself when
    /// it has done.</returns>
    private async Task<bool> WaitForOthersAsync(CancellationToken ct)
    {
        if (Volatile.Read(ref _inHand) > 0)
        {
            return false;
        }

        var held = await HeldAsync(ct);
        if (held.Count == 0)
        {
            return false;
        }

        long since;
        lock (_lock)
        {
            (_after, _size) = ("", 1);
            since = _heldSince ??= engine.Time.GetTimestamp();
        }

        if (engine.Time.GetElapsedTime(since) > run.Plan.Patience && !await RunsTable.OthersAsync(engine.Database, run.Id, ct))
        {
            foreach (var schema in held)
            {
                await ReportAsync(schema,
                    "its row in tenancy.schemas is locked by another session (pg_locks says by which): nobody may " +
                    "migrate it meanwhile", ct);
            }

            return false;
        }

        // Another process, a customer's own change. It may yet roll back.
        await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(50, 150)), engine.Time, ct);
        return true;
    }

    private async Task<IReadOnlyList<SchemaName>> HeldAsync(CancellationToken ct)
    {
        // It is asked ten times a second for as long as somebody holds them.
        using var unrecorded = TenancyTelemetry.Unrecorded();
        var found = await LedgerTable.VersionsAsync(engine.Database, ct);
        await engine.Versions.LearnAsync(found, ct);
        run.Learn(engine.Versions, found);
        return await LedgerTable.ListAsync(engine.Database, run.Due(ring.Number), ct);
    }

    /// <summary>
    /// One schema, in as many transactions as its migrations ask for, trying again when someone is in the way.
    /// </summary>
    private async Task FinishAsync(
        WorkerSession session, SchemaName schema, Taken last, CancellationToken stop, CancellationToken ct)
    {
        var attempt = last.InTheWay ? 2 : 1;
        while (run.Halted is null && !stop.IsCancellationRequested)
        {
            if (await MigrateAsync(session, run.Due(ring.Number) with { Only = [schema.Value] }, after: null, 1, attempt,
                last.Begun, ct) is not { Left.Count: > 0 } taken)
            {
                return;
            }

            attempt = taken.InTheWay ? attempt + 1 : 1;
            last = taken;
        }
    }

    /// <summary>The next group begins after this one's last.</summary>
    /// <param name="claimed">This one.</param>
    /// <param name="inOrder">False for one that was claimed by its name.</param>
    private void Pass(List<ClaimedSchema> claimed, bool inOrder)
    {
        var last = claimed[^1].Schema;
        lock (_lock)
        {
            // Whatever comes of it: nobody else held it. A session that has just ended may hold its rows for a moment
            // longer.
            _heldSince = null;
            _left -= inOrder ? claimed.Count : 0;
            if (inOrder && string.CompareOrdinal(last.Value, _after) > 0)
            {
                _after = last.Value;
            }
        }
    }
}

using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Tenancy.Ledgers;

namespace Tenancy.Tasks;

/// <summary>
/// One ring's tenants, one after the other. A tenant is claimed by its ledger row, told apart from the others by
/// <c>SKIP LOCKED</c>, and its work is done in the transaction that holds the claim.
/// </summary>
internal sealed partial class TaskWorker(TaskEngine engine, TaskRun run, int ring, int allowedFailures)
{
    private readonly Lock _lock = new();
    private string _after = "";
    private int _inHand;
    private int _failures;
    private long? _heldSince;

    /// <summary>
    /// Works until nobody of the ring is left, the run is halted or <paramref name="stop"/> says so. Several may work
    /// at once.
    /// </summary>
    public async Task WorkAsync(CancellationToken stop, CancellationToken ct)
    {
        while (run.Halted is null && !stop.IsCancellationRequested)
        {
            try
            {
                if (!await TakeOneAsync(stop, ct) && !await WaitForOthersAsync(ct))
                {
                    return;
                }
            }
            catch (Exception error) when (error.Absence() is not null)
            {
                LogAbsent(engine.Log, error.Absence()!.Message);
                if (!await run.WaitForServerAsync(ct))
                {
                    throw;
                }
            }
        }
    }

    /// <returns>False when there was nobody to claim.</returns>
    private async Task<bool> TakeOneAsync(CancellationToken stop, CancellationToken ct)
    {
        Interlocked.Increment(ref _inHand);
        try
        {
            if (await ClaimAsync(run.Due(ring), _after, attempt: 1, ct) is not { } taken)
            {
                return false;
            }

            for (var attempt = 2; taken is { Conflict: true } && run.Halted is null && !stop.IsCancellationRequested;
                attempt++)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(50, 250) * attempt), engine.Time, ct);
                taken = await ClaimAsync(run.Due(ring) with { Only = [taken.Schema.Value] }, "", attempt, ct);
            }

            return true;
        }
        finally
        {
            Interlocked.Decrement(ref _inHand);
        }
    }

    /// <summary>
    /// Looks from the start for tenants that another process held, or whose claim was lost with its connection.
    /// </summary>
    /// <returns>False when nobody is left to wait for, or another worker of this run is at work: it looks itself when
    /// it has done.</returns>
    private async Task<bool> WaitForOthersAsync(CancellationToken ct)
    {
        if (Volatile.Read(ref _inHand) > 0 || await HeldAsync(ct) is not { Count: > 0 } held)
        {
            return false;
        }

        long since;
        lock (_lock)
        {
            _after = "";
            since = _heldSince ??= engine.Time.GetTimestamp();
        }

        if (engine.Time.GetElapsedTime(since) > run.Plan.Patience
            && !await RunsTable.OthersAsync(engine.Database, run.Id, ct))
        {
            foreach (var schema in held)
            {
                Report(schema, null,
                    "its row in tenancy.schemas is locked by another session (pg_locks says by which): nobody may " +
                    "work on it meanwhile");
            }

            return false;
        }

        await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(50, 150)), engine.Time, ct);
        return true;
    }

    private async Task<IReadOnlyList<SchemaName>> HeldAsync(CancellationToken ct)
    {
        // It is asked ten times a second for as long as somebody holds them.
        using var unrecorded = TenancyTelemetry.Unrecorded();
        return await TasksTable.ListAsync(engine.Database, run.Due(ring), ct);
    }

    /// <summary>The next claim begins after this one.</summary>
    private void Pass(SchemaName schema)
    {
        lock (_lock)
        {
            _heldSince = null;
            if (string.CompareOrdinal(schema.Value, _after) > 0)
            {
                _after = schema.Value;
            }
        }
    }

    /// <summary>Tells that a tenant failed, wherever it is told.</summary>
    private void Report(SchemaName schema, string? slug, string words)
    {
        using var scope = slug is null ? null : engine.Log.BeginTenantScope(slug);
        Activity.Current?.SetStatus(ActivityStatusCode.Error, words);
        run.Fail(schema, words);
        LogFailed(engine.Log, run.Task.Name, schema, words);
        if (Interlocked.Increment(ref _failures) > allowedFailures && !run.Plan.Isolate)
        {
            run.Halt(string.Create(CultureInfo.InvariantCulture,
                $"{_failures} tenants of ring {ring} failed, and {allowedFailures} may"));
        }
    }

    [LoggerMessage(LogLevel.Error, "The task {Task} failed for {Schema}, nothing of it stays: {Error}")]
    private static partial void LogFailed(ILogger log, string task, SchemaName schema, string error);

    [LoggerMessage(LogLevel.Warning, "The task {Task} met a lock conflict in {Schema} ({Error}); trying again.")]
    private static partial void LogConflict(ILogger log, string task, SchemaName schema, string error);

    [LoggerMessage(LogLevel.Debug, "The task {Task} is done for {Schema}, in {Milliseconds:0} ms.")]
    private static partial void LogDone(ILogger log, string task, SchemaName schema, double milliseconds);

    [LoggerMessage(LogLevel.Warning, "The database can't be reached ({Error}); trying again.")]
    private static partial void LogAbsent(ILogger log, string error);

    /// <summary>The result of a claim.</summary>
    /// <param name="Schema">Whose turn it was.</param>
    /// <param name="Conflict">A lock conflict: the tenant is to be tried again.</param>
    private sealed record Taken(SchemaName Schema, bool Conflict = false);
}

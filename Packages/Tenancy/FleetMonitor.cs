using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Tenancy;

/// <summary>
/// Counts the schemas in the ledger at the start and every <see cref="TenancyOptions.FleetInterval"/>, for the gauges
/// and for health. It asks one grouped query at a time, over the probe's connection, and leaves no span. Registered by
/// <c>AddTenancy</c>.
/// </summary>
public sealed class FleetMonitor(
    DatabaseProbe probe, SchemaVersions versions, CompiledMigrations build, TenancyOptions options,
    TenancyMetrics metrics, TimeProvider time) : BackgroundService
{
    /// <summary>All schemas by state and version: a look at each ledger row, 3 ms for 10,000.</summary>
    private const string Query =
        """
        SELECT state, version, state = 'failed' OR last_error IS NOT NULL, count(*)::int FROM tenancy.schemas GROUP BY 1, 2, 3
        """;

    private readonly SemaphoreSlim _one = new(1);

    /// <summary>The last count; null when there is none, because the last look failed.</summary>
    public FleetSnapshot? Last => options.Database is { } name
        ? metrics.Others.GetValueOrDefault(name)
        : metrics.Fleet;

    /// <summary>
    /// The last counts of the databases besides the first one; those that couldn't be counted are left out.
    /// </summary>
    public IReadOnlyList<FleetSnapshot> LastOfOthers =>
        [.. metrics.Others.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => one.Value).OfType<FleetSnapshot>()];

    /// <summary>
    /// Counts now. A failure is no error: it leaves <see cref="Last"/> null, and the database's health says why.
    /// </summary>
    /// <param name="ct">Ends the wait.</param>
    public async Task<FleetSnapshot?> LookAsync(CancellationToken ct = default)
    {
        await _one.WaitAsync(ct);
        try
        {
            return Keep(await probe.AskAsync(CountAsync, ct));
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or OperationCanceledException)
        {
            // No ledger yet, or no database: nothing is known, which isn't the same as zero.
            Keep(null);
            ct.ThrowIfCancellationRequested();
            return null;
        }
        finally
        {
            _one.Release();
        }
    }

    private FleetSnapshot? Keep(FleetSnapshot? counted) => options.Database is { } name
        ? metrics.Others[name] = counted
        : metrics.Fleet = counted;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.FleetInterval, time);
        try
        {
            do
            {
                await LookAsync(stoppingToken);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host ends.
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _one.Dispose();
        base.Dispose();
    }

    private async Task<FleetSnapshot> CountAsync(DatabaseProbe over, CancellationToken ct)
    {
        var counts = new List<SchemaCount>();
        await using (var ask = over.Owner.CreateCommand(Query))
        {
            await using var rows = await ask.ExecuteReaderAsync(ct);
            while (await rows.ReadAsync(ct))
            {
                counts.Add(
                    new(Enum.Parse<SchemaState>(rows.GetString(0), ignoreCase: true), rows.GetString(1),
                        rows.GetBoolean(2), rows.GetInt32(3)));
            }
        }

        await versions.LearnAsync([.. counts.Select(count => count.Version).Distinct()], ct);
        return new(time.GetUtcNow(), counts, versions, build, options.Database);
    }
}

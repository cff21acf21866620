using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy.Citus;
using Tenancy.Drift;

namespace Tenancy;

/// <summary>
/// Says where schemas differ from what the build's migrations make, and where ledger, histories and registry disagree.
/// It changes nothing and keeps nobody waiting: what the migrations make is made on this very server, in a transaction
/// that is rolled back.
/// </summary>
public sealed class FleetVerifier(
    [FromKeyedServices(TenancyOptions.OwnerKey)] NpgsqlDataSource database, CompiledMigrations migrations,
    SchemaVersions versions, TenancyOptions options, TimeProvider time)
{
    /// <summary>How many schemas are read in one round trip.</summary>
    internal int Chunk { get; init; } = 250;

    /// <summary>The wait for a locked history table, per attempt.</summary>
    internal TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Compares every schema, in whatever state it should exist, with the migrations of its own version. A schema that
    /// is migrated meanwhile is read again before anything is said about it; one with migrations that this build
    /// doesn't have is reported as incomparable.
    /// </summary>
    /// <remarks>
    /// Of the catalog: tables, columns but for their order, constraints, indexes, views, sequences, functions, types,
    /// triggers, rules, policies, and all rights but the owner's. Not compared: extended statistics, storage parameters
    /// of columns, comments, operators, text search.
    /// </remarks>
    /// <param name="plan">Which schemas; default all, without a registry.</param>
    /// <param name="ct">Ends it at once.</param>
    /// <exception cref="NpgsqlException">The database failed, or doesn't let this login make the reference: it has to
    /// be the owner, who runs the migrations.</exception>
    public async Task<DriftReport> VerifyAsync(VerifyPlan? plan = null, CancellationToken ct = default)
    {
        plan ??= new();
        ArgumentOutOfRangeException.ThrowIfLessThan(plan.Workers, 1);
        var started = time.GetTimestamp();
        using var span = TenancyTelemetry.Start(TenancyTelemetry.VerifyFleet);
        var inventory = await Inventory.ReadAsync(
            database, migrations.HistoryTable, plan.Only?.Select(schema => schema.Value), ct);
        var due = inventory.Where(row => row.ShouldExist).ToList();
        await versions.LearnAsync([.. due.Select(row => row.Version).Distinct()], ct);

        var verdicts = new ConcurrentDictionary<string, Verdict>(StringComparer.Ordinal);
        foreach (var row in due.Where(row => row.Oid is null))
        {
            verdicts[row.Schema] = new(false, [Verdicts.NoSchema(row.State!)]);
        }

        foreach (var name in (plan.Only ?? []).Select(schema => schema.Value)
            .Except(inventory.Select(row => row.Schema)))
        {
            verdicts[name] = new(false, ["there is neither such a schema nor a ledger row"]);
        }

        var reader = new FleetComparison(database, migrations, versions, LockTimeout,
            new(new(database, migrations, options, ct), versions, migrations), verdicts);
        await Parallel.ForEachAsync(
            due.Where(row => row.Oid is not null).Chunk(Chunk),
            new ParallelOptions { MaxDegreeOfParallelism = plan.Workers, CancellationToken = ct },
            async (chunk, token) => await reader.ReadAsync(chunk, token));

        await AddMisplacedAsync(verdicts, [.. due.Where(row => row.Oid is not null).Select(row => row.Schema)], ct);
        var (missing, unregistered) = plan.Registered is null
            ? ([], [])
            : await Registry.CompareAsync(database, inventory, await plan.Registered(ct), plan.Only, ct);
        var judged = verdicts.OrderBy(entry => entry.Key, StringComparer.Ordinal).ToList();
        var report = new DriftReport(
            judged.Count(entry => entry.Value.Compared),
            [.. judged.Where(entry => entry.Value.Differences.Count > 0)
                .Select(entry => new SchemaDrift(SchemaName.Parse(entry.Key), entry.Value.Differences))],
            [.. judged.Where(entry => entry.Value.Incomparable is not null)
                .Select(entry => new IncomparableSchema(SchemaName.Parse(entry.Key), entry.Value.Incomparable!))],
            [.. inventory.Where(IsStray).Select(row => row.Schema)],
            missing, unregistered, time.GetElapsedTime(started));
        span?.SetTag(TenancyTelemetry.Schemas, report.Checked);
        return report;
    }

    /// <summary>
    /// Takes each schema's version in the ledger from its own history, as after a backup of one was restored. Nothing
    /// of the schemas is changed; <see cref="FleetMigrator"/> does what is pending then.
    /// </summary>
    /// <param name="only">Which schemas; null for all.</param>
    /// <param name="ct">Ends it; what was written stays.</param>
    /// <returns>The schemas of which the ledger said something else.</returns>
    public Task<IReadOnlyList<SchemaName>> MendLedgerAsync(
        IEnumerable<SchemaName>? only = null, CancellationToken ct = default) =>
            LedgerRepair.FromHistoriesAsync(
                database, migrations, versions, only?.Select(schema => schema.Value), ct);

    /// <summary>
    /// Brings what Citus should have placed on a tenant's node there, with its rows, a schema in a transaction each.
    /// Does nothing on PostgreSQL without Citus. Nobody else writes the tables meanwhile.
    /// </summary>
    /// <param name="only">Which schemas; null for all.</param>
    /// <param name="ct">Ends it; what was brought stays.</param>
    /// <returns>The schemas that lacked something, with those that couldn't be helped.</returns>
    public async Task<IReadOnlyList<PlacementMend>> MendPlacementAsync(
        IEnumerable<SchemaName>? only = null, CancellationToken ct = default)
    {
        if (!await CitusEngine.IsPresentAsync(database, ct))
        {
            return [];
        }

        var there = (await Inventory.ReadAsync(
                database, migrations.HistoryTable, only?.Select(schema => schema.Value), ct))
            .Where(row => row is { ShouldExist: true, Oid: not null }).Select(row => row.Schema).ToList();
        var mended = new List<PlacementMend>();
        foreach (var schema in (await Placement.FindAsync(database, there, ct)).GroupBy(one => one.Schema))
        {
            mended.Add(await PlacementRepair.MendAsync(database, schema.Key, [.. schema], ct));
        }

        return mended;
    }

    /// <summary>The catalog of a table is the same wherever it is, so the comparison doesn't see it.</summary>
    private async Task AddMisplacedAsync(
        ConcurrentDictionary<string, Verdict> verdicts, IReadOnlyCollection<string> schemas, CancellationToken ct)
    {
        if (!await CitusEngine.IsPresentAsync(database, ct))
        {
            return;
        }

        foreach (var schema in (await Placement.FindAsync(database, schemas, ct)).GroupBy(one => one.Schema.Value))
        {
            var verdict = verdicts[schema.Key];
            verdicts[schema.Key] = verdict with
            {
                Differences = [.. verdict.Differences.Concat(schema.Select(one => one.Words))
                    .Order(StringComparer.Ordinal)],
            };
        }
    }

    private bool IsStray(InventoryRow row) =>
        row is { State: null, HasHistory: true } && row.Schema is not ("tenancy" or "public" or "information_schema")
            && !options.SharedSchemas.Contains(row.Schema);
}

using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy.Databases;
using Tenancy.Fleet;
using Tenancy.Ledgers;

namespace Tenancy;

/// <summary>Reads the fleet's status and the work of a run. Changes nothing.</summary>
public sealed class FleetReader(
    [FromKeyedServices(TenancyOptions.OwnerKey)] NpgsqlDataSource database, CompiledMigrations build,
    SchemaVersions versions)
{
    /// <summary>Whose ledger it reads; null for the first database's.</summary>
    internal string? Name { get; init; }

    /// <summary>The databases besides the first one, for what goes over all; null for none.</summary>
    internal TenantDatabases? Others { get; init; }

    private static readonly DateTime Ever = DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc);

    /// <summary>How many laggards <see cref="StatusAsync"/> names; it counts all.</summary>
    public const int MostLaggards = 50;

    /// <summary>The migrations that this build has, in order. Makes their SQL; asks no server.</summary>
    /// <exception cref="TenantMigrationException">A migration can't be a tenant's; the message says why.</exception>
    public IReadOnlyList<FleetMigration> Migrations() =>
        [.. build.Migrations.Select(migration => new FleetMigration(
            migration.Id, build.Breaking.Contains(migration.Id), migration.Up.OutsideTransaction))];

    /// <summary>
    /// Reads the fleet's status from the ledger, for any number of schemas at once. It has all failures.
    /// </summary>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="PostgresException">42P01: the shared migrations haven't made the ledger yet.</exception>
    public Task<FleetStatus> StatusAsync(CancellationToken ct = default) => OverviewAsync(int.MaxValue, ct);

    /// <summary>
    /// Reads the status of the fleets of all databases as one, see <see cref="TenancyOptions.Databases"/>. Of a
    /// database that doesn't answer, but the first, it has the name and the error, and the others' status stays.
    /// </summary>
    /// <param name="mostFailures">At most so many failures, the first by the schema's name; 0 or more.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="mostFailures"/> is below 0.</exception>
    /// <exception cref="NpgsqlException">The first database doesn't answer.</exception>
    /// <exception cref="PostgresException">42P01: the shared migrations haven't made the ledger yet.</exception>
    public Task<FleetStatus> OverviewOfAllAsync(int mostFailures, CancellationToken ct = default) =>
        Others is { Others.Count: > 0 } databases
            ? FleetsOfAll.ReadAsync(this, databases, mostFailures, ct)
            : OverviewAsync(mostFailures, ct);

    /// <summary>
    /// Reads the fleet's status as <see cref="StatusAsync"/> does, with the first failures alone: for what asks again
    /// and again. <see cref="FleetGroup.Failed"/> counts all.
    /// </summary>
    /// <param name="mostFailures">At most so many failures, the first by the schema's name; 0 or more.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="mostFailures"/> is below 0.</exception>
    /// <exception cref="PostgresException">42P01: the shared migrations haven't made the ledger yet.</exception>
    public async Task<FleetStatus> OverviewAsync(int mostFailures, CancellationToken ct = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(mostFailures);
        await versions.LearnAsync(await LedgerTable.VersionsAsync(database, ct), ct);
        await using var connection = await database.OpenConnectionAsync(ct);
        var groups = await ReadAsync(
            connection,
            $"""
            SELECT ring, state, version, count(*)::int,
                (count(*) FILTER (WHERE {LedgerModel.Migrated} AND last_error IS NOT NULL))::int
            FROM tenancy.schemas GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
            """,
            [], row => Group(row.GetInt32(0), Enum.Parse<SchemaState>(row.GetString(1), ignoreCase: true),
                row.GetString(2), row.GetInt32(3)) with { Failed = row.GetInt32(4), Database = Name }, ct);
        var failures = await ReadAsync(
            connection,
            "SELECT schema, ring, attempts, last_error, failed_at, unfinished FROM tenancy.schemas WHERE " +
            $"{LedgerModel.Migrated} AND last_error IS NOT NULL ORDER BY schema LIMIT $1",
            [new NpgsqlParameter<int> { TypedValue = mostFailures }],
            row => new FleetFailure(
                row.GetString(0), row.GetInt32(1), row.GetInt32(2), row.GetString(3), row.TimeOrNull(4),
                row.TextOrNull(5)) { Database = Name }, ct);
        var behind = groups.Where(group => group is { IsMigrated: true, Standing: VersionStanding.Behind })
            .Select(group => group.Version).Distinct().ToArray();
        var laggards = await ReadAsync(
            connection,
            $"SELECT schema, ring, version FROM tenancy.schemas WHERE {LedgerModel.Migrated} AND version = ANY ($1) " +
            "ORDER BY ring, schema LIMIT $2",
            [LedgerTable.Texts(behind), new NpgsqlParameter<int> { TypedValue = MostLaggards }],
            row => new FleetLaggard(row.GetString(0), row.GetInt32(1), versions.Find(row.GetString(2))?.Last,
                Missing(row.GetString(2)).Count) { Database = Name }, ct);
        var runs = await ReadAsync(
            connection,
            $"""
            SELECT id, kind, asked_by, target, total, migrated, failed, ring, started_at, heartbeat_at, ended_at, halt,
                   coalesce(outcome, CASE WHEN {RunsTable.Alive} THEN 'running' ELSE 'silent' END)
            FROM tenancy.runs ORDER BY ended_at DESC NULLS FIRST, id DESC LIMIT 10
            """,
            [], Run, ct);
        return new(build.Ids.LastOrDefault() ?? "", groups, failures, laggards, runs);
    }

    /// <summary>The work of a run by that plan, from the ledger. Empty where nothing is pending.</summary>
    /// <exception cref="ArgumentException">The plan can't be carried out; the message says why.</exception>
    /// <exception cref="NotSupportedException">It would take back a migration that this build doesn't know, or that has
    /// no way back.</exception>
    public async Task<IReadOnlyList<PlannedGroup>> PlanAsync(FleetPlan plan, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var work = FleetWork.Of(plan, build);
        var found = await LedgerTable.VersionsAsync(database, ct);
        await versions.LearnAsync(found, ct);
        var due = new Due(
            [.. found.Where(version => work.IsDue(versions.Find(version)))], plan.Ring, Ever,
            plan.Only?.Select(schema => schema.Value).ToArray(), plan.OnlyFailed);
        await using var connection = await database.OpenConnectionAsync(ct);
        var schemas = await ReadAsync(
            connection,
            $"SELECT ring, version, schema FROM tenancy.schemas WHERE {Due.InAnyRing} AND ($5 IS NULL OR ring = $5) " +
            "ORDER BY ring, version, schema", [.. due.Parameters],
            row => (Ring: row.GetInt32(0), Version: row.GetString(1), Schema: SchemaName.Parse(row.GetString(2))), ct);
        return [.. schemas.GroupBy(schema => (schema.Ring, schema.Version)).Select(group => new PlannedGroup(
            group.Key.Ring, versions.Find(group.Key.Version)?.Last, Steps(work, versions.Find(group.Key.Version)),
            [.. group.Select(schema => schema.Schema)]))];
    }

    /// <summary>
    /// The SQL by which a run would bring one schema where the plan says, by the schema's own history: for reading, or
    /// to be run by hand, as whichever role may be the schema's owner: what it makes is the owner's. Empty when nothing
    /// is pending.
    /// </summary>
    /// <exception cref="PostgresException">42P01, 3F000: there is no such schema, or it has no history.</exception>
    public async Task<string> ScriptAsync(SchemaName schema, FleetPlan plan, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var work = FleetWork.Of(plan, build);
        await using var connection = await database.OpenConnectionAsync(ct);
        IEnumerable<string> applied = (await LedgerTable.HistoriesAsync(connection, [schema], build.HistoryTable, ct))[0];
        var left = work.StepsFor(applied.ToHashSet(StringComparer.Ordinal));
        var script = new StringBuilder();
        var begin = $"BEGIN;\nSET LOCAL ROLE {await OwnerAsync(connection, schema, ct)};\n";
        while (left.Count > 0)
        {
            var inside = left.TakeWhile(step => !step.Sql.OutsideTransaction).ToList();
            var together = inside.Count > 0 ? inside : [left[0]];
            left = [.. left.Skip(together.Count)];
            applied = applied.After(together);
            var ledger = LedgerTable.Succeeded(
                [schema], await versions.RecordAsync(applied, ct), complete: left.Count == 0, sharing: 1);
            if (inside.Count == 0)
            {
                script.Append("-- ").Append(together[0].Id).Append(" can't run in a transaction.\n")
                    .Append(together[0].Sql.Script(schema));
                script.Append(begin).Append(together[0].Sql.History(schema)).Append(ledger).Append("COMMIT;\n");
                continue;
            }

            script.Append(begin);
            script.Append("SELECT schema FROM tenancy.schemas WHERE schema = '").Append(schema.Value)
                .Append("' FOR UPDATE;\n");
            foreach (var step in inside)
            {
                script.Append("-- ").Append(step.Id).Append('\n').Append(step.Sql.Script(schema));
            }

            script.Append(ledger).Append("COMMIT;\n");
        }

        return script.ToString();
    }

    /// <summary>Quoted. What another role made, the owner's rights and default privileges wouldn't reach.</summary>
    private static async Task<string> OwnerAsync(NpgsqlConnection connection, SchemaName schema, CancellationToken ct)
    {
        await using var ask = new NpgsqlCommand(
            "SELECT quote_ident(pg_get_userbyid(nspowner)) FROM pg_catalog.pg_namespace WHERE nspname = $1", connection)
        {
            Parameters = { LedgerTable.Text(schema.Value) },
        };
        return (string)(await ask.ExecuteScalarAsync(ct))!;
    }

    private FleetGroup Group(int ring, SchemaState state, string version, int schemas)
    {
        var known = versions.Find(version);
        var missing = Missing(version);
        return new(
            ring, state, version, versions.StandingOf(version), known?.Last, missing,
            [.. missing.Where(id => IsLate(id, known))],
            known is null ? [] : [.. known.Migrations.Except(build.Ids).Order(StringComparer.Ordinal)], schemas);
    }

    private IReadOnlyList<PlannedStep> Steps(FleetWork work, SchemaVersion? version) =>
        [.. work.StepsFor(version?.Migrations ?? new HashSet<string>()).Select(step => new PlannedStep(
            step.Id, step.Adds && IsLate(step.Id, version), step.Sql.OutsideTransaction,
            step.Adds && build.Breaking.Contains(step.Id)))];

    private IReadOnlyList<string> Missing(string version) =>
        versions.Find(version) is { } known
            ? [.. build.Ids.Where(id => !known.Migrations.Contains(id))]
            : [.. build.Ids];

    private static bool IsLate(string id, SchemaVersion? version) =>
        version?.Last is { } last && string.CompareOrdinal(id, last) < 0;

    private FleetRunStatus Run(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetInt32(4), row.GetInt32(5),
        row.GetInt32(6), row.IsDBNull(7) ? null : row.GetInt32(7),
        row.TimeOrNull(8)!.Value, row.TimeOrNull(9)!.Value, row.TimeOrNull(10), row.TextOrNull(11),
        row.GetString(12)) { Database = Name };

    private static async Task<List<T>> ReadAsync<T>(NpgsqlConnection connection, string sql,
        NpgsqlParameter[] parameters, Func<NpgsqlDataReader, T> of, CancellationToken ct)
    {
        await using var ask = new NpgsqlCommand(sql, connection);
        ask.Parameters.AddRange(parameters);
        await using var rows = await ask.ExecuteReaderAsync(ct);
        var found = new List<T>();
        while (await rows.ReadAsync(ct))
        {
            found.Add(of(rows));
        }

        return found;
    }
}

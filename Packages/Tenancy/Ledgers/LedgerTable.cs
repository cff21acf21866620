using System.Globalization;
using Npgsql;
using NpgsqlTypes;

namespace Tenancy.Ledgers;

/// <summary>The ledger's statements.</summary>
internal static class LedgerTable
{
    /// <summary>
    /// Whether any schema has another version than that one: two looks into the index, one on each side. Nothing else
    /// is asked where nothing is pending.
    /// </summary>
    /// <remarks>Measured with 10,000 schemas: <c>version &lt;&gt; $1</c> reads the whole index.</remarks>
    public const string AnyOther =
        $"""
        SELECT EXISTS (SELECT FROM tenancy.schemas WHERE {LedgerModel.Migrated} AND version < $1)
            OR EXISTS (SELECT FROM tenancy.schemas WHERE {LedgerModel.Migrated} AND version > $1)
        """;

    /// <summary>The versions there are: one look into the index for each.</summary>
    private const string Versions =
        $"""
        WITH RECURSIVE versions AS (
            (SELECT version FROM tenancy.schemas WHERE {LedgerModel.Migrated} ORDER BY version LIMIT 1)
            UNION ALL
            SELECT (SELECT s.version FROM tenancy.schemas AS s WHERE s.{LedgerModel.Migrated} AND s.version > v.version ORDER BY s.version LIMIT 1)
            FROM versions AS v WHERE v.version IS NOT NULL
        )
        SELECT version FROM versions WHERE version IS NOT NULL
        """;

    public static async Task<bool> AnyOtherAsync(NpgsqlDataSource database, string version, CancellationToken ct)
    {
        await using var any = database.CreateCommand(AnyOther);
        any.Parameters.Add(Text(version));
        return await any.ExecuteScalarAsync(ct) is true;
    }

    public static async Task<IReadOnlyList<string>> VersionsAsync(NpgsqlDataSource database, CancellationToken ct)
    {
        await using var ask = database.CreateCommand(Versions);
        return await ask.NamesAsync(ct);
    }

    /// <summary>
    /// Each ring in which something is due, in order: how many schemas are, and how many it has in all.
    /// </summary>
    public static async Task<IReadOnlyList<(int Ring, int Due, int Size)>> RingsAsync(
        NpgsqlDataSource database, Due due, CancellationToken ct)
    {
        await using var ask = database.CreateCommand(
            $"""
            SELECT ring, count(*) FILTER (WHERE {Due.InAnyRing})::int, count(*)::int
            FROM tenancy.schemas WHERE {LedgerModel.Migrated} AND ($5 IS NULL OR ring = $5) GROUP BY ring ORDER BY ring
            """);
        ask.Parameters.AddRange(due.Parameters.ToArray());
        await using var rows = await ask.ExecuteReaderAsync(ct);
        var rings = new List<(int, int Due, int)>();
        while (await rows.ReadAsync(ct))
        {
            rings.Add((rows.GetInt32(0), rows.GetInt32(1), rows.GetInt32(2)));
        }

        return [.. rings.Where(ring => ring.Due > 0)];
    }

    public static async Task<IReadOnlyList<SchemaName>> ListAsync(
        NpgsqlDataSource database, Due due, CancellationToken ct)
    {
        await using var ask = database.CreateCommand(
            $"SELECT schema FROM tenancy.schemas WHERE {Due.Condition} ORDER BY schema");
        ask.Parameters.AddRange(due.Parameters.ToArray());
        return await ask.SchemasAsync(ct);
    }

    /// <summary>How many schemas runs look after, in a ring or in all.</summary>
    public static async Task<int> CountAsync(NpgsqlDataSource database, int? ring, CancellationToken ct)
    {
        await using var count = database.CreateCommand(
            $"SELECT count(*)::int FROM tenancy.schemas WHERE {LedgerModel.Migrated} AND ($1 IS NULL OR ring = $1)");
        count.Parameters.Add(
            new NpgsqlParameter { Value = ring is { } one ? one : DBNull.Value, NpgsqlDbType = NpgsqlDbType.Integer });
        return (int)(await count.ExecuteScalarAsync(ct))!;
    }

    public static async Task<int> FailedSinceAsync(
        NpgsqlDataSource database, int ring, DateTime since, CancellationToken ct)
    {
        await using var count = database.CreateCommand(
            $"SELECT count(*)::int FROM tenancy.schemas WHERE {LedgerModel.Migrated} AND ring = $1 AND failed_at >= " +
            "$2 AND last_error IS NOT NULL");
        count.Parameters.Add(new NpgsqlParameter<int> { TypedValue = ring });
        count.Parameters.Add(
            new NpgsqlParameter<DateTime> { TypedValue = since, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        return (int)(await count.ExecuteScalarAsync(ct))!;
    }

    /// <summary>
    /// Locks, in schema order, the next that are due and that nobody else holds; sets the transaction's time limits in
    /// the same round trip.
    /// </summary>
    /// <param name="connection">In a transaction.</param>
    /// <param name="due">Whom.</param>
    /// <param name="after">Only schemas after this one; empty for all.</param>
    /// <param name="count">At most so many.</param>
    /// <param name="plan">Has the time limits.</param>
    /// <param name="ct">Ends the wait.</param>
    public static async Task<List<ClaimedSchema>> ClaimAsync(
        NpgsqlConnection connection, Due due, string after, int count, FleetPlan plan, CancellationToken ct)
    {
        await using var batch = connection.CreateBatch();
        RunLimits.AddTo(batch, connection.PostgreSqlVersion, plan.LockTimeout, plan.StatementTimeout);
        var claim = new NpgsqlBatchCommand(
            $"SELECT schema, unfinished FROM tenancy.schemas WHERE {Due.Condition} AND schema > $6 ORDER BY schema " +
            "LIMIT $7 FOR UPDATE SKIP LOCKED");
        claim.Parameters.AddRange(due.Parameters.ToArray());
        claim.Parameters.Add(Text(after));
        claim.Parameters.Add(new NpgsqlParameter<int> { TypedValue = count });
        batch.BatchCommands.Add(claim);
        await using var rows = await batch.ExecuteReaderAsync(ct);
        var claimed = new List<ClaimedSchema>();
        while (await rows.ReadAsync(ct))
        {
            claimed.Add(
                new(SchemaName.Parse(rows.GetString(0)), await rows.IsDBNullAsync(1, ct) ? null : rows.GetString(1)));
        }

        return claimed;
    }

    /// <summary>Reads the schemas' own histories: EF's history tables.</summary>
    public static async Task<IReadOnlyList<HashSet<string>>> HistoriesAsync(
        NpgsqlConnection connection, IReadOnlyList<SchemaName> schemas, string table, CancellationToken ct)
    {
        await using var batch = connection.CreateBatch();
        return await HistoriesAsync(batch, schemas, table, ct);
    }

    /// <summary>
    /// The same under the claim, locked until the transaction ends. EF locks its history, too, but commits after each
    /// migration and goes on without: against readers and writers of its rows only a lock of one's own helps.
    /// </summary>
    public static async Task<IReadOnlyList<HashSet<string>>> LockHistoriesAsync(
        NpgsqlConnection connection, IReadOnlyList<SchemaName> schemas, string table, CancellationToken ct)
    {
        await using var batch = connection.CreateBatch();
        batch.BatchCommands.Add(
            new($"LOCK TABLE {string.Join(", ", schemas.Select(schema => schema.Qualify(table)))} IN SHARE ROW " +
                "EXCLUSIVE MODE"));
        return await HistoriesAsync(batch, schemas, table, ct);
    }

    /// <summary>
    /// The statement that says which version schemas have now; to be sent with the DDL, so version and tables can't
    /// disagree. Text alone, because a command of many statements takes no parameters: names are
    /// <see cref="SchemaName"/>s, versions are digits.
    /// </summary>
    /// <param name="schemas">Which.</param>
    /// <param name="version">Of them all.</param>
    /// <param name="complete">False when migrations are left for another transaction.</param>
    /// <param name="sharing">How many schemas share the transaction, hence its time.</param>
    public static string Succeeded(IEnumerable<SchemaName> schemas, string version, bool complete, int sharing) =>
        string.Create(CultureInfo.InvariantCulture,
            $"""
            UPDATE tenancy.schemas
            SET version = '{version}', migrated_at = clock_timestamp(), unfinished = NULL,
                migrated_in_ms = extract(epoch FROM clock_timestamp() - transaction_timestamp()) * 1000 / {sharing}
                {(complete ? ", attempts = 0, last_error = NULL, state = CASE state WHEN 'failed' THEN 'ready' ELSE state END" : "")}
            WHERE schema IN ({string.Join(", ", schemas.Select(schema => $"'{schema}'"))});

            """);

    /// <summary>The statement that takes a name which can't be anybody's yet; see <see cref="Succeeded"/>.</summary>
    public static string Reserved(SchemaName schema) =>
        $"INSERT INTO tenancy.schemas (schema, state) VALUES ('{schema}', 'provisioning');\n";

    /// <summary>The statement that ends the making of a schema; see <see cref="Succeeded"/>.</summary>
    /// <param name="schema">Which.</param>
    /// <param name="version">That of the build that made it.</param>
    /// <param name="state">A tenant's is <c>ready</c>, nobody's is <c>spare</c>.</param>
    public static string Created(SchemaName schema, string version, string state) =>
        $"""
        UPDATE tenancy.schemas
        SET state = '{state}', version = '{version}', migrated_at = clock_timestamp(),
            migrated_in_ms = extract(epoch FROM clock_timestamp() - transaction_timestamp()) * 1000
        WHERE schema = '{schema}';

        """;

    /// <summary>
    /// After the rollback to the savepoint that it reports, still under the claim. Who keeps a migration that was to be
    /// taken back lacks nothing, and is served as before.
    /// </summary>
    public static async Task FailAsync(
        NpgsqlConnection connection, SchemaName schema, string error, bool takingBack, CancellationToken ct)
    {
        await using var update = new NpgsqlCommand(
            $"""
            UPDATE tenancy.schemas
            SET attempts = attempts + 1, last_error = $2, failed_at = clock_timestamp(),
                state = {(takingBack ? "state" : "CASE state WHEN 'ready' THEN 'failed' ELSE state END")}
            WHERE schema = $1
            """,
            connection)
        {
            Parameters = { Text(schema.Value), Text(error) },
        };
        await update.ExecuteNonQueryAsync(ct);
    }

    /// <summary>That a migration is about to begin which no transaction protects; committed before it begins.</summary>
    public static async Task BeginUnfinishedAsync(
        NpgsqlConnection connection, SchemaName schema, string migration, CancellationToken ct)
    {
        await using var update = new NpgsqlCommand(
            "UPDATE tenancy.schemas SET unfinished = $2 WHERE schema = $1", connection)
        {
            Parameters = { Text(schema.Value), Text(migration) },
        };
        await update.ExecuteNonQueryAsync(ct);
    }

    public static NpgsqlParameter<string> Text(string value) => new() { TypedValue = value };

    public static NpgsqlParameter<string[]> Texts(string[] values) =>
        new() { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text };

    private static async Task<IReadOnlyList<HashSet<string>>> HistoriesAsync(
        NpgsqlBatch batch, IReadOnlyList<SchemaName> schemas, string table, CancellationToken ct)
    {
        var histories = schemas.Select(_ => new HashSet<string>(StringComparer.Ordinal)).ToList();
        // The first of EF's two columns is the migration's id; naming conventions may change its name, not its place.
        batch.BatchCommands.Add(new(
            string.Join(" UNION ALL ",
                schemas.Select((schema,
                    at) => string.Create(
                        CultureInfo.InvariantCulture, $"SELECT {at}, h.* FROM {schema.Qualify(table)} AS h")))));
        await using var rows = await batch.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            histories[rows.GetInt32(0)].Add(rows.GetString(1));
        }

        return histories;
    }
}

using Npgsql;
using NpgsqlTypes;
using Tenancy.Ledgers;
using Tenancy.Registries;

namespace Tenancy.Databases;

/// <summary>
/// The ledgers of the databases that aren't the first, for a list of all tenants: their rows become a parameter of the
/// list's query, some 300 bytes for each tenant. With one database there is no such parameter.
/// </summary>
internal sealed class OtherLedgers
{
    private const string Columns =
        "schema, state, ring, version, migrated_at, attempts, last_error, failed_at, drop_after";

    private readonly TenantDatabases _databases;
    private readonly HashSet<string> _gone = new(StringComparer.Ordinal);
    private readonly List<string> _rows = [];
    private readonly List<string> _versions = [];

    private OtherLedgers(TenantDatabases databases) => _databases = databases;

    /// <summary>Whether there is one database.</summary>
    public bool IsNone => _databases.Others.Count == 0;

    /// <summary>The versions that they have.</summary>
    public IReadOnlyList<string> Versions => _versions;

    /// <summary>The first of the query's parameters.</summary>
    public IEnumerable<NpgsqlParameter> Parameters => IsNone ? [] :
    [
        new NpgsqlParameter<string>
        {
            TypedValue = $"[{string.Join(',', _rows)}]", NpgsqlDbType = NpgsqlDbType.Jsonb,
        },
    ];

    /// <summary>SQL: all ledgers, as <c>s</c>.</summary>
    public string Ledger => IsNone ? "tenancy.schemas AS s" :
        $"""
        (SELECT NULL::text AS database, NULL::bigint AS bytes, {Columns} FROM tenancy.schemas
            UNION ALL SELECT * FROM jsonb_to_recordset($1) AS other (database text, bytes bigint, schema text,
                state text, ring integer, version text, migrated_at timestamptz, attempts integer, last_error text,
                failed_at timestamptz, drop_after timestamptz)) AS s
        """;

    /// <summary>SQL: which row of <see cref="Ledger"/> is a tenant's.</summary>
    public string Joins => IsNone
        ? "s.schema = t.schema"
        : "s.schema = t.schema AND s.database IS NOT DISTINCT FROM t.database";

    /// <summary>Reads them. Of a database that doesn't answer it has nothing.</summary>
    /// <param name="databases">All.</param>
    /// <param name="versions">Learns what they have.</param>
    /// <param name="withSizes">Whether the list is in the order of sizes.</param>
    /// <param name="ct">Ends the wait.</param>
    public static async Task<OtherLedgers> ReadAsync(
        TenantDatabases databases, SchemaVersions versions, bool withSizes, CancellationToken ct)
    {
        var ledgers = new OtherLedgers(databases);
        foreach (var database in databases.Others)
        {
            try
            {
                await ledgers.AddAsync(database, versions, withSizes, ct);
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException)
            {
                ledgers._gone.Add(database.Name);
            }
        }

        return ledgers;
    }

    /// <summary>Whether a database didn't answer.</summary>
    public bool IsGone(string? database) => database is not null && _gone.Contains(database);

    /// <summary>The same with the sizes of those in the other databases.</summary>
    public async Task<IReadOnlyList<TenantDetails>> MeasuredAsync(List<TenantDetails> items, CancellationToken ct)
    {
        var sizes = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var database in _databases.Others.Where(database => !_gone.Contains(database.Name)))
        {
            string[] schemas = [.. items.Where(item => item.Entry.Tenant.Database == database.Name)
                .Select(item => item.Entry.Tenant.Schema.Value)];
            if (schemas.Length > 0)
            {
                await using var ask = database.Owner.CreateCommand(
                    $"SELECT found.schema, {TenantConditions.Bytes} FROM unnest($1) AS found (schema)");
                ask.Parameters.Add(LedgerTable.Texts(schemas));
                await using var rows = await ask.ExecuteReaderAsync(ct);
                while (await rows.ReadAsync(ct))
                {
                    sizes[rows.GetString(0)] = rows.GetInt64(1);
                }
            }
        }

        return sizes.Count == 0 ? items : [.. items.Select(item => item.Entry.Tenant.Database is null
            ? item
            : item with { Bytes = sizes.GetValueOrDefault(item.Entry.Tenant.Schema.Value) })];
    }

    private async Task AddAsync(TenantDatabase database, SchemaVersions versions, bool withSizes, CancellationToken ct)
    {
        var found = await LedgerTable.VersionsAsync(database.Owner, ct);
        await versions.LearnAsync(found, database.Owner, ct);
        await using var ask = database.Owner.CreateCommand(
            $"""
            SELECT to_jsonb(row)::text FROM (
                SELECT $1::text AS database, {(withSizes ? TenantConditions.Bytes : "NULL::bigint")} AS bytes, {Columns}
                FROM tenancy.schemas AS found) AS row
            """);
        ask.Parameters.Add(LedgerTable.Text(database.Name));
        _rows.AddRange(await ask.NamesAsync(ct));
        _versions.AddRange(found);
    }
}

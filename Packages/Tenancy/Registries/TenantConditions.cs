using System.Globalization;
using Npgsql;
using Tenancy.Databases;
using Tenancy.Ledgers;

namespace Tenancy.Registries;

/// <summary>The query, part by part; values are parameters.</summary>
/// <param name="others">The ledgers of the other databases.</param>
/// <param name="tenants">The registry's query of its tenants.</param>
internal sealed class TenantConditions(OtherLedgers others, string tenants)
{
    /// <summary>
    /// The size of a schema's tables in bytes, from the catalog's own numbers: the functions that measure files wait
    /// for a migration's locks. The dependencies have an index by schema, the relations have none.
    /// </summary>
    internal const string Bytes =
        """
        (SELECT (coalesce(sum(c.relpages + coalesce(toast.relpages, 0) + coalesce((
                SELECT sum(x.relpages) FROM pg_catalog.pg_index AS i
                JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid), 0)), 0)
                * current_setting('block_size')::bigint)::bigint
            FROM pg_catalog.pg_namespace AS n
            JOIN pg_catalog.pg_depend AS d ON d.refclassid = 'pg_catalog.pg_namespace'::regclass
                AND d.refobjid = n.oid AND d.classid = 'pg_catalog.pg_class'::regclass
            JOIN pg_catalog.pg_class AS c ON c.oid = d.objid
            LEFT JOIN pg_catalog.pg_class AS toast ON toast.oid = c.reltoastrelid
            WHERE n.nspname = found.schema)
        """;

    /// <summary>The tenants whose last migration failed.</summary>
    public const string Failed = $"s.{LedgerModel.Migrated} AND s.last_error IS NOT NULL";

    /// <summary>The tenants that are to be removed.</summary>
    public const string Dropping = "s.state IN ('dropping', 'dropped')";

    private readonly List<string> _where = ["true"];
    private readonly List<NpgsqlParameter> _parameters = [.. others.Parameters];

    private string From =>
        $"FROM ({tenants}) AS t LEFT JOIN {others.Ledger} ON {others.Joins} WHERE {string.Join(" AND ", _where)}";

    public void Add(string condition, params NpgsqlParameter[] values)
    {
        var names = values.Select(value =>
        {
            _parameters.Add(value);
            return (object)string.Create(CultureInfo.InvariantCulture, $"${_parameters.Count}");
        });
        _where.Add(string.Format(CultureInfo.InvariantCulture, condition, [.. names]));
    }

    public async Task<int> CountAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var count = Command(connection, $"SELECT count(*)::int {From}");
        return (int)(await count.ExecuteScalarAsync(ct))!;
    }

    /// <summary>
    /// Counts the tenants of each kind: <c>status</c>, <c>ring</c>, <c>is_migrated</c>, <c>has_failed</c>,
    /// <c>is_dropping</c>, <c>version</c>, and how many.
    /// </summary>
    public NpgsqlCommand Groups(NpgsqlConnection connection) => Command(connection,
        $"""
        SELECT t.status, coalesce(s.ring, t.ring), coalesce(s.{LedgerModel.Migrated}, false),
            coalesce({Failed}, false), coalesce({Dropping}, false), coalesce(s.version, ''), count(*)::int
        {From} GROUP BY 1, 2, 3, 4, 5, 6
        """);

    /// <summary>Leaves out what comes before the page.</summary>
    public void Begin(TenantQuery query)
    {
        if (query.After is null)
        {
            return;
        }

        var place = TenantPlace.Parse(query.After, query);
        var sort = query.Descending ? "<" : ">";
        Add(
            $"({Key(query.Sort)}, t.slug COLLATE \"C\") {sort} ({{0}}, {{1}})",
            IsNumber(query.Sort)
                ? new NpgsqlParameter<long> { TypedValue = long.Parse(place.Key, CultureInfo.InvariantCulture) }
                : LedgerTable.Text(place.Key), LedgerTable.Text(place.Slug));
    }

    public NpgsqlCommand Page(NpgsqlConnection connection, TenantQuery query)
    {
        var direction = query.Descending ? "DESC" : "ASC";
        return Command(connection, string.Create(CultureInfo.InvariantCulture,
            $"""
            SELECT found.*, {Bytes} FROM (
                SELECT t.id, t.slug, t.schema, t.name, t.status, t.created_at, coalesce(s.ring, t.ring), s.state,
                    coalesce(s.version, ''), s.migrated_at, coalesce(s.attempts, 0), s.last_error, s.failed_at,
                    s.drop_after, ({Key(query.Sort)})::text{(others.IsNone ? "" : ", t.database")}
                {From}
                ORDER BY {Key(query.Sort)} {direction}, t.slug COLLATE "C" {direction}
                OFFSET {query.Skip} LIMIT {query.Limit + 1}) AS found
            """));
    }

    private NpgsqlCommand Command(NpgsqlConnection connection, string sql)
    {
        var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddRange(_parameters.Select(parameter => parameter.Clone()).ToArray());
        return command;
    }

    private static string Here => Bytes.Replace("found.schema", "t.schema", StringComparison.Ordinal);

    private static bool IsNumber(TenantSort sort) => sort is not (TenantSort.Slug or TenantSort.Name);

    /// <summary>A text, or a whole number: both survive a client that carries them.</summary>
    private string Key(TenantSort sort) => sort switch
    {
        TenantSort.Name => "lower(t.name) COLLATE \"C\"",
        TenantSort.Created => "(extract(epoch FROM t.created_at) * 1000000)::bigint",
        TenantSort.Migrated => "coalesce((extract(epoch FROM s.migrated_at) * 1000000)::bigint, 0)",
        TenantSort.Size when others.IsNone => Here,
        TenantSort.Size => $"CASE WHEN t.database IS NULL THEN {Here} ELSE coalesce(s.bytes, 0) END",
        TenantSort.Ring => "coalesce(s.ring, t.ring)::bigint",
        _ => "t.slug COLLATE \"C\"",
    };
}

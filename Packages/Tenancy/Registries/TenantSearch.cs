using System.Globalization;
using Npgsql;
using Tenancy.Ledgers;

namespace Tenancy.Registries;

/// <summary>The registry's tenants beside the ledger's rows, filtered and ordered by the server.</summary>
/// <remarks>
/// Over the pool of the contexts. A connection of the other one sends DISCARD ALL before its next command, and Npgsql
/// cancels no command before that is answered: a request would wait 30 seconds for a server that has fallen silent.
/// </remarks>
internal sealed class TenantSearch(GuardedDataSource pools, TenantDirectory directory, SchemaVersions versions)
{
    /// <summary>
    /// The size of a schema's tables in bytes, from the catalog's own numbers: the functions that measure files wait
    /// for a migration's locks. The dependencies have an index by schema, the relations have none.
    /// </summary>
    private const string Bytes =
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

    public async Task<TenantPage> RunAsync(ITenantRegistry registry, TenantQuery query, CancellationToken ct)
    {
        var found = await LedgerTable.VersionsAsync(pools.Owner, ct);
        await versions.LearnAsync(found, ct);
        var conditions = new Conditions(registry.TenantsSql ?? throw new NotSupportedException(
            $"{registry.GetType().Name} has no query of its tenants: implement ITenantRegistry.TenantsSql."));
        Narrow(conditions, query, found);
        await using var connection = await pools.Owner.OpenConnectionAsync(ct);
        var total = await conditions.CountAsync(connection, ct);
        conditions.Begin(query);
        await using var ask = conditions.Page(connection, query);
        await using var rows = await ask.ExecuteReaderAsync(ct);
        var (items, last) = (new List<TenantDetails>(), (string?)null);
        while (await rows.ReadAsync(ct))
        {
            if (items.Count == query.Limit)
            {
                return new(items, last, total);
            }

            var item = Read(rows);
            items.Add(item);
            last = new TenantPlace(TenantPlace.OrderOf(query), rows.GetString(14), item.Entry.Tenant.Slug).ToString();
        }

        return new(items, null, total);
    }

    private void Narrow(Conditions conditions, TenantQuery query, IReadOnlyList<string> found)
    {
        if (!string.IsNullOrWhiteSpace(query.Search))
        {
            var part = query.Search.Trim().Replace(@"\", @"\\", StringComparison.Ordinal)
                .Replace("%", @"\%", StringComparison.Ordinal).Replace("_", @"\_", StringComparison.Ordinal);
            conditions.Add("(t.slug ILIKE {0} OR t.name ILIKE {0})", LedgerTable.Text($"%{part}%"));
        }

        if (query.Slug is { } slug)
        {
            conditions.Add("t.slug = {0}", LedgerTable.Text(slug));
        }

        if (query.Status is { } status)
        {
            conditions.Add("t.status = {0}", LedgerTable.Text(status.ToString().ToLowerInvariant()));
        }

        if (query.Ring is { } ring)
        {
            conditions.Add("coalesce(s.ring, t.ring) = {0}", new NpgsqlParameter<int> { TypedValue = ring });
        }

        if (query.Version is { } wanted)
        {
            conditions.Add("s.version = ANY ({0})", LedgerTable.Texts(
                [wanted, .. found.Where(version => versions.Find(version)?.Last == wanted)]));
        }

        switch (query.Condition)
        {
            case TenantCondition.Failed:
                conditions.Add($"s.{LedgerModel.Migrated} AND s.last_error IS NOT NULL");
                break;
            case TenantCondition.Behind:
                conditions.Add($"s.{LedgerModel.Migrated} AND s.version = ANY ({{0}})", LedgerTable.Texts(
                    [.. found.Where(version => versions.StandingOf(version) == VersionStanding.Behind)]));
                break;
            case TenantCondition.Dropping:
                conditions.Add("s.state IN ('dropping', 'dropped')");
                break;
        }
    }

    private TenantDetails Read(NpgsqlDataReader row)
    {
        var tenant = new Tenant(row.GetGuid(0), row.GetString(1), SchemaName.Parse(row.GetString(2)));
        var status = Enum.Parse<TenantStatus>(row.GetString(4), ignoreCase: true);
        var state = row.IsDBNull(7) ? (SchemaState?)null : Enum.Parse<SchemaState>(row.GetString(7), ignoreCase: true);
        var version = row.GetString(8);
        return new(
            new(tenant, row.GetString(3), status, row.GetFieldValue<DateTimeOffset>(5)),
            directory.AvailabilityOf(RegistryLookup.Listing(tenant, status, state, version)), state, row.GetInt32(6),
            version, versions.Find(version)?.Last, Time(row, 9), row.GetInt32(10),
            row.IsDBNull(11) ? null : row.GetString(11), Time(row, 12), Time(row, 13), row.GetInt64(15));
    }

    private static DateTimeOffset? Time(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);

    /// <summary>The query, part by part; values are parameters.</summary>
    /// <param name="tenants">The registry's query of its tenants.</param>
    private sealed class Conditions(string tenants)
    {
        private readonly List<string> _where = ["true"];
        private readonly List<NpgsqlParameter> _parameters = [];

        private string From =>
            $"FROM ({tenants}) AS t LEFT JOIN tenancy.schemas AS s ON s.schema = t.schema WHERE " +
            string.Join(" AND ", _where);

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
                        s.drop_after, ({Key(query.Sort)})::text
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

        private static bool IsNumber(TenantSort sort) => sort is not (TenantSort.Slug or TenantSort.Name);

        /// <summary>A text, or a whole number: both survive a client that carries them.</summary>
        private static string Key(TenantSort sort) => sort switch
        {
            TenantSort.Name => "lower(t.name) COLLATE \"C\"",
            TenantSort.Created => "(extract(epoch FROM t.created_at) * 1000000)::bigint",
            TenantSort.Migrated => "coalesce((extract(epoch FROM s.migrated_at) * 1000000)::bigint, 0)",
            TenantSort.Size => Bytes.Replace("found.schema", "t.schema", StringComparison.Ordinal),
            TenantSort.Ring => "coalesce(s.ring, t.ring)::bigint",
            _ => "t.slug COLLATE \"C\"",
        };
    }
}

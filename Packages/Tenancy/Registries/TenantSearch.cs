using Npgsql;
using Tenancy.Databases;
using Tenancy.Ledgers;

namespace Tenancy.Registries;

/// <summary>The registry's tenants beside the ledger's rows, filtered and ordered by the server.</summary>
/// <remarks>
/// Over the pool of the contexts. A connection of the other one sends DISCARD ALL before its next command, and Npgsql
/// cancels no command before that is answered: a request would wait 30 seconds for a server that has fallen silent.
/// </remarks>
internal sealed class TenantSearch(
    GuardedDataSource pools, TenantDirectory directory, SchemaVersions versions, TenantDatabases databases)
{
    public async Task<TenantPage> RunAsync(ITenantRegistry registry, TenantQuery query, CancellationToken ct)
    {
        var found = await LearnAsync(ct);
        var others = await OtherLedgers.ReadAsync(databases, versions, withSizes: query.Sort == TenantSort.Size, ct);
        var conditions = Of(registry, others);
        Narrow(conditions, query, [.. found, .. others.Versions]);
        await using var connection = await pools.Owner.OpenConnectionAsync(ct);
        var total = await conditions.CountAsync(connection, ct);
        conditions.Begin(query);
        await using var ask = conditions.Page(connection, query);
        await using var rows = await ask.ExecuteReaderAsync(ct);
        var (items, last, more) = (new List<TenantDetails>(), (string?)null, false);
        while (!more && await rows.ReadAsync(ct))
        {
            if (items.Count == query.Limit)
            {
                more = true;
                continue;
            }

            var item = Read(rows, others);
            items.Add(item);
            last = new TenantPlace(TenantPlace.OrderOf(query), rows.GetString(14), item.Entry.Tenant.Slug).ToString();
        }

        return new(await others.MeasuredAsync(items, ct), more ? last : null, total);
    }

    /// <summary>How many tenants each filter finds.</summary>
    public async Task<TenantCounts> CountAsync(ITenantRegistry registry, string? search, CancellationToken ct)
    {
        var found = await LearnAsync(ct);
        var others = await OtherLedgers.ReadAsync(databases, versions, withSizes: false, ct);
        var conditions = Of(registry, others);
        Narrow(conditions, new() { Search = search }, found);
        var groups = new List<(TenantStatus Status, int Ring, TenantCondition[] Conditions, int Count)>();
        await using var connection = await pools.Owner.OpenConnectionAsync(ct);
        await using var ask = conditions.Groups(connection);
        await using var rows = await ask.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            groups.Add((Enum.Parse<TenantStatus>(rows.GetString(0), ignoreCase: true), rows.GetInt32(1),
                [.. ConditionsOf(rows)], rows.GetInt32(6)));
        }

        return new(
            groups.Sum(group => group.Count),
            Enum.GetValues<TenantStatus>().ToDictionary(
                status => status, status => groups.Where(group => group.Status == status).Sum(group => group.Count)),
            Enum.GetValues<TenantCondition>().ToDictionary(
                condition => condition,
                condition => groups.Where(group => group.Conditions.Contains(condition)).Sum(group => group.Count)),
            new SortedDictionary<int, int>(groups.GroupBy(group => group.Ring).ToDictionary(
                ring => ring.Key, ring => ring.Sum(group => group.Count))));
    }

    private IEnumerable<TenantCondition> ConditionsOf(NpgsqlDataReader row)
    {
        if (row.GetBoolean(3))
        {
            yield return TenantCondition.Failed;
        }

        if (row.GetBoolean(2) && versions.StandingOf(row.GetString(5)) == VersionStanding.Behind)
        {
            yield return TenantCondition.Behind;
            if (!row.GetBoolean(3))
            {
                yield return TenantCondition.Waiting;
            }
        }

        if (row.GetBoolean(4))
        {
            yield return TenantCondition.Dropping;
        }
    }

    private async Task<IReadOnlyList<string>> LearnAsync(CancellationToken ct)
    {
        var found = await LedgerTable.VersionsAsync(pools.Owner, ct);
        await versions.LearnAsync(found, ct);
        return found;
    }

    private static TenantConditions Of(ITenantRegistry registry, OtherLedgers others) => new(
        others,
        registry.TenantsSql ?? throw new NotSupportedException(
            $"{registry.GetType().Name} has no query of its tenants: implement ITenantRegistry.TenantsSql."));

    private void Narrow(TenantConditions conditions, TenantQuery query, IReadOnlyList<string> found)
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
                conditions.Add(TenantConditions.Failed);
                break;
            case TenantCondition.Behind or TenantCondition.Waiting:
                conditions.Add($"s.{LedgerModel.Migrated} AND s.version = ANY ({{0}})", LedgerTable.Texts(
                    [.. found.Where(version => versions.StandingOf(version) == VersionStanding.Behind)]));
                if (query.Condition == TenantCondition.Waiting)
                {
                    conditions.Add("s.last_error IS NULL");
                }

                break;
            case TenantCondition.Dropping:
                conditions.Add(TenantConditions.Dropping);
                break;
        }
    }

    private TenantDetails Read(NpgsqlDataReader row, OtherLedgers others)
    {
        var tenant = new Tenant(row.GetGuid(0), row.GetString(1), SchemaName.Parse(row.GetString(2)))
        {
            Database = others.IsNone ? null : row.TextOrNull(15),
        };
        var status = Enum.Parse<TenantStatus>(row.GetString(4), ignoreCase: true);
        var state = row.IsDBNull(7) ? (SchemaState?)null : Enum.Parse<SchemaState>(row.GetString(7), ignoreCase: true);
        var version = row.GetString(8);
        return new(
            new(tenant, row.GetString(3), status, row.GetFieldValue<DateTimeOffset>(5)),
            others.IsGone(tenant.Database)
                ? Availability.Unreachable
                : directory.AvailabilityOf(RegistryLookup.Listing(tenant, status, state, version)),
            state, row.GetInt32(6),
            version, versions.Find(version)?.Last, row.TimeOrNull(9), row.GetInt32(10),
            row.TextOrNull(11), row.TimeOrNull(12),
            state == SchemaState.Moving ? null : row.TimeOrNull(13), row.GetInt64(others.IsNone ? 15 : 16));
    }

}

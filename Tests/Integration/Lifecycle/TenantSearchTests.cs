using System.Globalization;
using System.Text;
using CsCheck;
using Tenancy;
using Tests.Integration.Citus;
using Xunit;

namespace Tests.Integration.Lifecycle;

/// <summary>Lists of tenants: filters, orders and pages, against the same list made in memory.</summary>
public sealed class TenantSearchTests(App app)
{
    private const string Current = "SELECT version FROM tenancy.schemas WHERE schema = 'tenant_real'";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pages_of_any_size_put_together_are_the_whole_list_in_every_order()
    {
        await using var warehouse = await Warehouse.StartAsync(app);
        await FillAsync(warehouse, count: 60);
        var all = (await warehouse.Tenants.SearchAsync(new() { Limit = 1000 }, Ct)).Items;
        Assert.Equal(61, all.Count);

        await Gen.Select(Gen.Enum<TenantSort>(), Gen.Bool, Gen.Int[1, 25]).SampleAsync(async (sort, down, limit) =>
        {
            var query = new TenantQuery { Sort = sort, Descending = down, Limit = limit };
            var (read, place) = (new List<TenantDetails>(), (string?)null);
            do
            {
                var page = await warehouse.Tenants.SearchAsync(query with { After = place }, Ct);
                Assert.Equal(61, page.Total);
                Assert.True(page.Items.Count == limit || page.Next is null);
                read.AddRange(page.Items);
                place = page.Next;
            }
            while (place is not null);
            Assert.Equal(Slugs(Sorted(all, sort, down)), Slugs(read));
            // Numbered pages are the same list.
            var second = await warehouse.Tenants.SearchAsync(query with { Skip = limit }, Ct);
            Assert.Equal(Slugs(read.Skip(limit).Take(limit)), Slugs(second.Items));
        }, iter: 60, threads: 1);
    }

    [Fact]
    public async Task Each_filter_finds_what_the_ledger_says()
    {
        await using var warehouse = await Warehouse.StartAsync(app);
        await FillAsync(warehouse, count: 60);
        var all = (await warehouse.Tenants.SearchAsync(new() { Limit = 1000 }, Ct)).Items;

        await FindsAsync(new() { Search = "T-1" }, item =>
            Has(item.Entry.Name, "t-1") || Has(item.Entry.Tenant.Slug, "t-1"));
        await FindsAsync(new() { Search = "50%_" }, item => Has(item.Entry.Name, "50%_"));
        await FindsAsync(new() { Status = TenantStatus.Suspended }, item => item.Entry.Status == TenantStatus.Suspended);
        await FindsAsync(new() { Ring = 2 }, item => item.Ring == 2);
        await FindsAsync(new() { Version = "old" }, item => item.Version == "old");
        await FindsAsync(new() { Version = "20260201000000_Colors" }, item => item.LastMigration is not null);
        await FindsAsync(new() { Condition = TenantCondition.Failed }, item => item.LastError is not null);
        // No run migrates what is to be removed.
        await FindsAsync(new() { Condition = TenantCondition.Behind }, item =>
            item.Version == "old" && item.State != SchemaState.Dropping);
        await FindsAsync(new() { Condition = TenantCondition.Waiting }, item =>
            item.Version == "old" && item.State != SchemaState.Dropping && item.LastError is null);
        await FindsAsync(new() { Condition = TenantCondition.Dropping }, item => item.State == SchemaState.Dropping);
        await FindsAsync(
            new() { Condition = TenantCondition.Failed, Ring = 2, Sort = TenantSort.Name },
            item => item.LastError is not null && item.Ring == 2);

        async Task FindsAsync(TenantQuery query, Func<TenantDetails, bool> expected)
        {
            var page = await warehouse.Tenants.SearchAsync(query with { Limit = 1000 }, Ct);
            var wanted = Sorted(all.Where(expected), query.Sort, down: false);
            Assert.NotEmpty(wanted);
            Assert.NotEqual(all.Count, wanted.Count);
            Assert.Equal(Slugs(wanted), Slugs(page.Items));
            Assert.Equal(wanted.Count, page.Total);
        }
    }

    [Fact]
    public async Task Each_count_is_the_total_of_the_list_that_its_filter_finds()
    {
        await using var warehouse = await Warehouse.StartAsync(app);
        await FillAsync(warehouse, count: 60);

        foreach (var search in (string?[])[null, "T-1", "nobody has this"])
        {
            var counts = await warehouse.Tenants.CountAsync(search, Ct);

            Assert.Equal(await TotalAsync(new()), counts.Total);
            foreach (var status in Enum.GetValues<TenantStatus>())
            {
                Assert.Equal(await TotalAsync(new() { Status = status }), counts.ByStatus[status]);
            }

            foreach (var condition in Enum.GetValues<TenantCondition>())
            {
                Assert.Equal(await TotalAsync(new() { Condition = condition }), counts.ByCondition[condition]);
            }

            foreach (var (ring, count) in counts.ByRing)
            {
                Assert.Equal(await TotalAsync(new() { Ring = ring }), count);
            }

            Assert.Equal(counts.Total, counts.ByRing.Values.Sum());
            Assert.Equal(counts.ByRing.Keys.Order(), counts.ByRing.Keys);

            async Task<int> TotalAsync(TenantQuery query) =>
                (await warehouse.Tenants.SearchAsync(query with { Search = search, Limit = 1 }, Ct)).Total;
        }
    }

    [Fact]
    public async Task A_tenant_is_put_into_a_ring_and_an_unknown_one_is_said_to_be_unknown()
    {
        await using var warehouse = await Warehouse.StartAsync(app);
        await warehouse.CreateAsync("acme");

        Assert.True(await warehouse.Tenants.SetRingAsync("acme", 3, Ct));
        Assert.False(await warehouse.Tenants.SetRingAsync("nobody", 3, Ct));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => warehouse.Tenants.SetRingAsync("acme", -1, Ct));

        Assert.Equal(3, (await warehouse.Tenants.SearchAsync(new() { Slug = "acme" }, Ct)).Items[0].Ring);
    }

    [Fact]
    public async Task A_tenant_has_its_size_as_PostgreSQL_has_measured_it_and_a_locked_one_is_listed_all_the_same()
    {
        CitusCluster.SkipOn("The coordinator's catalog doesn't have the nodes' sizes (docs/citus.md).");
        await using var warehouse = await Warehouse.StartAsync(app);
        var large = await warehouse.CreateAsync("large", items: 400);
        await warehouse.CreateAsync("small", items: 5);
        await warehouse.ExecuteAsync($"VACUUM ANALYZE {large.Schema}.items, {large.Schema}.parts");

        var bySize = (await warehouse.Tenants.SearchAsync(
            new() { Sort = TenantSort.Size, Descending = true }, Ct)).Items;

        Assert.Equal(["large", "small"], Slugs(bySize));
        var measured = await warehouse.ScalarAsync<long>(
            $"""
            SELECT sum(c.relpages)::bigint * 8192 FROM pg_class AS c
            WHERE c.relnamespace = '{large.Schema}'::regnamespace AND c.relkind IN ('r', 'i', 'm')
                OR c.oid IN (SELECT reltoastrelid FROM pg_class WHERE relnamespace = '{large.Schema}'::regnamespace)
            """);
        Assert.InRange(bySize[0].Bytes, 65536, long.MaxValue);
        // Sequences have a page each; the index of a large value's parts isn't counted.
        Assert.InRange(bySize[0].Bytes - measured, 0, 10 * 8192);

        await using var migration = await warehouse.Admin.OpenConnectionAsync(Ct);
        await using var transaction = await migration.BeginTransactionAsync(Ct);
        await using (var lockIt = new Npgsql.NpgsqlCommand(
            $"LOCK TABLE {large.Schema}.items IN ACCESS EXCLUSIVE MODE", migration, transaction))
        {
            await lockIt.ExecuteNonQueryAsync(Ct);
        }

        Assert.Equal(2, (await warehouse.Tenants.SearchAsync(new() { Sort = TenantSort.Size }, Ct)).Total);
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("%%%")]
    [InlineData("[]")]
    [InlineData("{\"a\":1}")]
    [InlineData("[\"slug\",null,\"a\"]")]
    [InlineData("[\"slug\",\"a\",null]")]
    [InlineData("[\"slug-\",\"a\",\"a\"]")]
    [InlineData("[\"created\",\"1\",\"a\"]")]
    [InlineData("[\"slug\",\"a\",\"a\",\"a\"]")]
    [InlineData("[\"slug\",\"\\u0000\",\"a\"]")]
    [InlineData("[\"slug\",\"a\",\"\\ud800\"]")]
    public async Task A_place_that_is_none_is_refused(string json)
    {
        await using var warehouse = await Warehouse.StartAsync(app);
        var place = json.Length < 4 ? json
            : System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));

        await Assert.ThrowsAsync<FormatException>(() => warehouse.Tenants.SearchAsync(new() { After = place }, Ct));
        await Assert.ThrowsAsync<FormatException>(() => warehouse.Tenants.SearchAsync(
            new() { After = "WyJjcmVhdGVkIiwiZWlucyIsImEiXQ", Sort = TenantSort.Created }, Ct));
    }

    private static bool Has(string text, string part) => text.Contains(part, StringComparison.OrdinalIgnoreCase);

    private static List<string> Slugs(IEnumerable<TenantDetails> items) =>
        [.. items.Select(item => item.Entry.Tenant.Slug)];

    /// <summary>The order in memory: the key, then the slug.</summary>
    private static List<TenantDetails> Sorted(IEnumerable<TenantDetails> items, TenantSort sort, bool down)
    {
        var ordered = sort switch
        {
            TenantSort.Name => items.OrderBy(item => item.Entry.Name.ToLowerInvariant(), StringComparer.Ordinal),
            TenantSort.Created => items.OrderBy(item => item.Entry.CreatedAt),
            TenantSort.Migrated => items.OrderBy(item => item.MigratedAt ?? DateTimeOffset.UnixEpoch),
            TenantSort.Size => items.OrderBy(item => item.Bytes),
            TenantSort.Ring => items.OrderBy(item => item.Ring),
            _ => items.OrderBy(item => item.Entry.Tenant.Slug, StringComparer.Ordinal),
        };
        var all = ordered.ThenBy(item => item.Entry.Tenant.Slug, StringComparer.Ordinal).ToList();
        if (down)
        {
            all.Reverse();
        }

        return all;
    }

    /// <summary>One real tenant, and rows of registry and ledger with many equal keys.</summary>
    private static async Task FillAsync(Warehouse warehouse, int count)
    {
        await warehouse.CreateAsync("real", items: 1);
        await warehouse.ExecuteAsync(string.Create(CultureInfo.InvariantCulture,
            $"""
            INSERT INTO tenancy.tenants (id, slug, schema, name, status, created_at)
            SELECT gen_random_uuid(), 't-' || n, 'tenant_' || n,
                (ARRAY['Äpfel', 'banana 50%_', 'Banana', 'banana', 'T-1 of old', 'zoo'])[1 + n % 6],
                (ARRAY['active', 'active', 'suspended', 'archived'])[1 + n % 4],
                timestamptz '2026-01-01' + n % 7 * interval '1.000001 day'
            FROM generate_series(1, {count}) AS n;
            INSERT INTO tenancy.schemas (schema, state, version, ring, migrated_at, attempts, last_error, failed_at, drop_after)
            SELECT 'tenant_' || n, (ARRAY['ready', 'failed', 'dropping'])[1 + n % 3],
                CASE WHEN n % 2 = 0 THEN 'old' ELSE ({Current}) END, n % 4,
                CASE WHEN n % 5 > 0 THEN timestamptz '2026-02-01' + n % 5 * interval '1 microsecond' END, 0,
                CASE WHEN n % 3 = 1 THEN 'it failed' END, NULL, NULL
            FROM generate_series(1, {count}) AS n WHERE n % 10 > 0;
            """));
    }
}

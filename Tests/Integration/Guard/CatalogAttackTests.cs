using Npgsql;
using Tenancy.Guard;
using Tests.Integration.Citus;
using Xunit;

namespace Tests.Integration.Guard;

/// <summary>
/// Why entries stand on the refused side: each statement, run as the login that serves customers, reaches what isn't
/// the tenant's. The server lets it through, so only the guard's lists stop it.
/// </summary>
public sealed class CatalogAttackTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Attacks => new()
    {
        { "query_to_xml", "SELECT query_to_xml('SELECT name FROM {0}.contacts', true, false, '')::text LIKE '%Eve%'" },
        { "table_to_xml", "SELECT table_to_xml('{0}.contacts', true, false, '')::text LIKE '%Eve%'" },
        { "ts_stat", "SELECT bool_or(word LIKE 'eve%') FROM ts_stat('SELECT to_tsvector(''simple'', name) " +
            "FROM {0}.contacts')" },
        { "ts_rewrite", "SELECT ts_rewrite('a', 'SELECT ''a''::tsquery, plainto_tsquery(''simple'', name) " +
            "FROM {0}.contacts')::text LIKE '%eve%'" },
        { "currtid2", "SELECT currtid2('{0}.contacts', '(0,1)') IS NOT NULL" },
        { "pg_relation_size", "SELECT pg_relation_size('{0}.contacts') > 0" },
        { "to_regclass", "SELECT to_regclass('{0}.contacts') IS NOT NULL" },
        { "regnamespace", "SELECT regnamespace('{0}') IS NOT NULL" },
        { "acldefault", "SELECT acldefault('r', oid)::text LIKE '%pg_monitor%' FROM pg_roles " +
            "WHERE rolname = 'pg_monitor'" },
        { "lo_from_bytea", "SELECT lo_unlink(lo_from_bytea(0, 'x')) = 1" },
        { "pg_stat_get_activity", "SELECT count(*) > 0 FROM pg_stat_get_activity(NULL)" },
        { "setseed", "SELECT setseed(0.5) IS NOT NULL" },
    };

    private const string OnNodes = "The rows are on a node, and the coordinator's catalog knows nothing of them.";

    [Theory]
    [MemberData(nameof(Attacks))]
    public async Task A_refused_function_reaches_what_is_not_the_tenants(string function, string sql)
    {
        Assert.SkipWhen(CitusCluster.IsConfigured && function is ("currtid2" or "pg_relation_size"), OnNodes);
        Assert.NotNull(new FunctionRules([]).WhyNotCall(null, function));
        Assert.NotNull(new FunctionRules([]).WhyNotCall("pg_catalog", function));
        Assert.True(await AnswerAsync(sql));
    }

    [Theory]
    [InlineData("pg_stats", "SELECT most_common_vals::text LIKE '%Eve%' FROM pg_stats WHERE schemaname = '{0}' AND " +
        "tablename = 'contacts' AND attname = 'name'")]
    [InlineData("pg_class", "SELECT reltuples > 0 FROM pg_class WHERE oid = '{0}.contacts'::regclass")]
    [InlineData("pg_namespace", "SELECT count(*) = 1 FROM pg_namespace WHERE nspname = '{0}'")]
    [InlineData("pg_stat_activity", "SELECT count(query) > 0 FROM pg_stat_activity WHERE usename = current_user")]
    public async Task A_refused_catalog_shows_what_is_not_the_tenants(string relation, string sql)
    {
        Assert.SkipWhen(CitusCluster.IsConfigured && relation is ("pg_stats" or "pg_class"), OnNodes);
        Assert.NotNull(PostgresCatalog.WhyNotRead(relation));
        Assert.True(await AnswerAsync(sql));
    }

    private async Task<bool> AnswerAsync(string sql)
    {
        var victim = await app.NewCustomerAsync();
        await victim.Http.PostAsync("/invoices", JsonOf("Eve"), Ct);
        await victim.Http.PostAsync("/invoices", JsonOf("Eve"), Ct);
        var schema = victim.Tenant.Schema.Value;
        await using (var owner = NpgsqlDataSource.Create(app.ConnectionString))
        {
            await using var more = owner.CreateCommand(
                $"INSERT INTO {schema}.contacts SELECT (jsonb_populate_record(c, jsonb_build_object('id', " +
                "gen_random_uuid(), 'name', c.name || n % 2, 'email', n))).* " +
                $"FROM {schema}.contacts c, generate_series(1, 9) n; " +
                $"ANALYZE {schema}.contacts");
            await more.ExecuteNonQueryAsync(Ct);
        }

        await using var serving = NpgsqlDataSource.Create(app.ServingConnectionString + ";Pooling=false");
        await using var attack = serving.CreateCommand(
            sql.Replace("{0}", schema, StringComparison.Ordinal));
        return (bool)(await attack.ExecuteScalarAsync(Ct))!;
    }

    private static StringContent JsonOf(string contact) => new(
        System.Text.Json.JsonSerializer.Serialize(TestCustomer.Invoice(1m, contact)),
        System.Text.Encoding.UTF8, "application/json");
}

using Npgsql;
using Tenancy;
using Tenancy.Registries;
using Xunit;

namespace Tests.Integration.Citus;

/// <summary>Shared tables that customers join, on a real cluster.</summary>
public sealed class MoveSharedTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_table_that_tenants_join_is_on_every_node_after_a_run_however_often_it_is_asked_for()
    {
        await using var cluster = await MoveCluster.CreateAsync();
        await cluster.ExecuteAsync("CREATE TABLE public.countries (code text PRIMARY KEY, name text)");
        var options = new TenancyOptions { ConnectionString = cluster.ConnectionString }
            .ShareWithTenants("public.currencies", "public.countries");

        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => JoinedTables.EnsureAsync(cluster.Database, options, Ct)));
        await JoinedTables.EnsureAsync(cluster.Database, options, Ct);

        Assert.Equal("countries currencies", await cluster.ScalarAsync(
            "SELECT string_agg(logicalrelid::text, ' ' ORDER BY logicalrelid::text) FROM pg_dist_partition " +
            "WHERE repmodel = 't'"));
        var acme = await cluster.AddCustomerAsync("acme");
        Assert.Equal(0L, await cluster.ScalarAsync(
            $"SELECT count(*) FROM {acme.Schema.Quoted}.invoices JOIN public.currencies ON code = currency_code " +
            "LEFT JOIN public.countries USING (name)"));
    }

    [Fact]
    public async Task The_login_that_serves_reads_it_on_the_nodes()
    {
        await using var cluster = await MoveCluster.CreateAsync();
        var login = $"test_move_{Guid.NewGuid():n}";
        try
        {
            await cluster.ExecuteAsync($"CREATE ROLE {login} LOGIN");
            var options = new TenancyOptions
            {
                ConnectionString = cluster.ConnectionString,
                TenantConnectionString = new NpgsqlConnectionStringBuilder(cluster.ConnectionString) { Username = login }
                    .ConnectionString,
            }.ShareWithTenants("public.currencies");

            await JoinedTables.EnsureAsync(cluster.Database, options, Ct);

            Assert.Equal("t t t", await cluster.ScalarAsync(
                "SELECT string_agg(result, ' ') FROM run_command_on_all_nodes(" +
                $"$$SELECT has_table_privilege('{login}', 'public.currencies', 'SELECT')$$)"));
        }
        finally
        {
            await cluster.ExecuteAsync($"DROP OWNED BY {login}; DROP ROLE {login}");
        }
    }
}

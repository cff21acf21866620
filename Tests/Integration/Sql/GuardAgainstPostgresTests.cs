using CsCheck;
using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Integration.Sql;

/// <summary>
/// PostgreSQL itself says which tables and functions a statement depends on (the body of an SQL function is analysed
/// when it is made, and its dependencies are in the catalog). What depends on more than a tenant may see has to be
/// refused; what doesn't has to pass.
/// </summary>
public sealed class GuardAgainstPostgresTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_the_server_would_look_up_elsewhere_is_refused_and_the_rest_passes()
    {
        await using var database = NpgsqlDataSource.Create(await app.Server.ConnectionStringAsync(Ct));
        await using var connection = await database.OpenConnectionAsync(Ct);
        await ExecuteAsync(connection, """
            CREATE SCHEMA "__Tenant__"; CREATE SCHEMA other;
            CREATE TABLE "__Tenant__".a (id int); CREATE TABLE "__Tenant__".b (id int);
            CREATE TABLE other.a (id int); CREATE TABLE other.b (id int);
            CREATE TABLE public.shared (id int); CREATE TABLE public.a (id int); CREATE TABLE public.b (id int);
            CREATE FUNCTION "__Tenant__".f(x int) RETURNS int LANGUAGE sql AS 'SELECT 1';
            CREATE FUNCTION other.f(x int) RETURNS int LANGUAGE sql AS 'SELECT 1';
            CREATE FUNCTION public.f(x int) RETURNS int LANGUAGE sql AS 'SELECT 1';
            CREATE FUNCTION public.needs_of(statement text) RETURNS text[] LANGUAGE plpgsql AS $$
              DECLARE needs text[];
              BEGIN
                EXECUTE format('CREATE FUNCTION public.probe() RETURNS void LANGUAGE sql BEGIN ATOMIC %s; END', statement);
                SELECT coalesce(array_agg(name), '{}') INTO needs FROM (
                  SELECT n.nspname || '.' || c.relname AS name FROM pg_depend d JOIN pg_class c ON c.oid = d.refobjid JOIN pg_namespace n ON n.oid = c.relnamespace
                  WHERE d.classid = 'pg_proc'::regclass AND d.objid = (SELECT oid FROM pg_proc WHERE proname = 'probe') AND d.refclassid = 'pg_class'::regclass
                  UNION
                  SELECT n.nspname || '.' || p.proname FROM pg_depend d JOIN pg_proc p ON p.oid = d.refobjid JOIN pg_namespace n ON n.oid = p.pronamespace
                  WHERE d.classid = 'pg_proc'::regclass AND d.objid = (SELECT oid FROM pg_proc WHERE proname = 'probe') AND d.refclassid = 'pg_proc'::regclass) AS found;
                DROP FUNCTION public.probe();
                RETURN needs;
              -- Not PostgreSQL: nothing to compare.
              EXCEPTION WHEN OTHERS THEN RETURN NULL;
              END $$;
            """);
        var (accepted, allowed) = (0, 0);
        var statements = TestDepth.Of(normal: 2_000, full: 40_000);

        await Gen.Int.SampleAsync(
            async seed =>
            {
                var sql = new RandomStatements(seed).Statement();
                if (await DependenciesAsync(connection, sql) is not { } needs)
                {
                    return;
                }

                accepted++;
                // MERGE and FOR UPDATE into shared tables are writes or locks: the guard may refuse them, the role
                // does.
                var writes = !sql.StartsWith("SELECT", StringComparison.Ordinal) && !sql.StartsWith('(')
                    && !sql.StartsWith("WITH", StringComparison.Ordinal)
                    && !sql.StartsWith("TABLE", StringComparison.Ordinal);
                var mayPass = needs.All(need =>
                    need is "__Tenant__.a" or "__Tenant__.b" or "__Tenant__.f" or "public.f" or "public.shared");
                var refusal = GuardVerdicts.RefusalOf(sql);
                Assert.True(
                    mayPass || refusal is not null, $"Let through, though it needs {string.Join(", ", needs)}: {sql}");
                if (!mayPass)
                {
                    return;
                }

                allowed++;
                var explained = refusal is null
                    || (writes && refusal.Rule == CommandRule.SharedTableIsReadOnly)
                    // search_path found the shared table for a name without a schema; the guard doesn't rely on it.
                    || (refusal.Rule == CommandRule.MissingSchema && needs.Contains("public.shared"));
                Assert.True(explained, $"Refused without need: {refusal?.Message} {sql}");
            },
            iter: statements,
            threads: 1);

        // Or the test would prove nothing.
        Assert.InRange(accepted, statements / 8, statements);
        Assert.InRange(allowed, accepted / 10, accepted);
    }

    /// <returns>Null where the server refuses the statement itself.</returns>
    private static async Task<string[]?> DependenciesAsync(NpgsqlConnection connection, string sql)
    {
        await using var ask = new NpgsqlCommand("SELECT public.needs_of($1)",
            connection) { Parameters = { new NpgsqlParameter<string> { TypedValue = sql } } };
        return await ask.ExecuteScalarAsync(Ct) as string[];
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Ct);
    }
}

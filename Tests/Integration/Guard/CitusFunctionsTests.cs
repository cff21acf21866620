using Npgsql;
using Tenancy.Citus;
using Xunit;

namespace Tests.Integration.Guard;

/// <summary>The list of functions that Citus refuses in changes of rows, held against the server's catalog.</summary>
public sealed class CitusFunctionsTests(App app)
{
    [Fact]
    public async Task A_function_that_the_check_refuses_is_never_one_that_Citus_takes()
    {
        await using var database = NpgsqlDataSource.Create($"{app.ConnectionString};Pooling=false");
        await using var ask = database.CreateCommand(
            """
            SELECT coalesce(array_agg(DISTINCT proname::text), '{}') FROM pg_proc
            WHERE pronamespace = 'pg_catalog'::regnamespace
                AND (proname = ANY ($1) AND provolatile <> 'v' OR proname = ANY ($2) AND provolatile = 'i')
            """);
        ask.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. CitusFunctions.Volatile] });
        ask.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. CitusFunctions.Stable] });

        Assert.Empty((string[])(await ask.ExecuteScalarAsync(TestContext.Current.CancellationToken))!);
    }
}

using Npgsql;
using Tenancy.Transfer;
using Xunit;

namespace Tests.Integration.Lifecycle;

/// <summary>What is asked about one schema doesn't take longer with more tenants.</summary>
public sealed class TransferQueriesTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Queries => new()
    {
        { nameof(SchemaTable), SchemaTable.Query },
        { nameof(OwnedSequence), OwnedSequence.Query },
        { nameof(ForeignKey), ForeignKey.Query },
    };

    [Theory]
    [MemberData(nameof(Queries))]
    public async Task No_catalog_of_all_tenants_is_read_through(string of, string query)
    {
        await using var source = NpgsqlDataSource.Create(await app.Server.ConnectionStringAsync(Ct));
        await using var connection = await source.OpenConnectionAsync(Ct);
        // The catalogs are small here. Without an index that serves, PostgreSQL still reads a catalog through.
        await using (var never = new NpgsqlCommand("SET enable_seqscan = off", connection))
        {
            await never.ExecuteNonQueryAsync(Ct);
        }

        await using var explain = new NpgsqlCommand($"EXPLAIN {query}", connection);
        explain.Parameters.Add(new NpgsqlParameter<string> { TypedValue = "public" });
        if (query.Contains("$2", StringComparison.Ordinal))
        {
            explain.Parameters.Add(new NpgsqlParameter<string> { TypedValue = "x" });
        }

        var plan = new List<string>();
        await using var rows = await explain.ExecuteReaderAsync(Ct);
        while (await rows.ReadAsync(Ct))
        {
            plan.Add(rows.GetString(0));
        }

        TestContext.Current.SendDiagnosticMessage("{0}: {1}", of, plan[0]);
        Assert.Contains(plan, line => line.Contains("pg_depend_reference_index", StringComparison.Ordinal));
        Assert.DoesNotContain(plan, line => line.Contains("Seq Scan on pg_", StringComparison.Ordinal));
    }
}

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Tenancy;
using Tenancy.Ledgers;
using Tenancy.Provisioning;
using Xunit;

namespace Tests.Integration.Fleet;

/// <summary>A process that serves: its provisioner, and keepers for it.</summary>
internal sealed class WarmPool(TestFleet fleet, CompiledMigrations build, int warmPool)
{
    public static readonly CompiledMigrations Old = TestFleet.Build("m1_a");
    public static readonly CompiledMigrations New = TestFleet.Build("m1_a", "m2_b");

    private readonly TenancyOptions _options = new() { WarmPool = warmPool };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public SchemaProvisioner Provisioner { get; } = new(
        build, new(fleet.Database, build), new() { WarmPool = warmPool });

    public WarmPoolFiller Keeper(
        TimeProvider? time = null, ILogger<WarmPoolFiller>? log = null, TimeSpan? pause = null) =>
            new(fleet.Database, build, Provisioner, _options, time ?? TimeProvider.System,
                log ?? NullLogger<WarmPoolFiller>.Instance) { Pause = pause ?? TimeSpan.FromMinutes(1) };

    /// <summary>By identity, which stays when the name changes.</summary>
    public async Task<uint[]> SparesAsync() => (uint[])(await fleet.ScalarAsync(
        "SELECT coalesce(array_agg(n.oid ORDER BY n.oid), '{}') FROM tenancy.schemas AS s JOIN pg_namespace AS n ON " +
        "n.nspname = s.schema WHERE s.state = 'spare'"))!;

    public Task UntilAsync(int spares) =>
        Eventually.HoldsAsync(async () => (await SparesAsync()).Length == spares);

    public async Task<uint> ProvisionAsync(string wanted)
    {
        await using var connection = await fleet.Database.OpenConnectionAsync(Ct);
        await using var transaction = await connection.BeginTransactionAsync(Ct);
        var schema = await Provisioner.ProvisionAsync(transaction, wanted, ct: Ct);
        await transaction.CommitAsync(Ct);
        return (uint)(await fleet.ScalarAsync($"SELECT oid FROM pg_namespace WHERE nspname = '{schema}'"))!;
    }

    /// <summary>How the claim is carried out.</summary>
    public async Task<string> ExplainAsync(NpgsqlConnection connection)
    {
        await using var explain = new NpgsqlCommand($"EXPLAIN {SpareSchemas.Claim}", connection)
        {
            Parameters = { LedgerTable.Text(build.Target), LedgerTable.Text("c_acme"),
                new NpgsqlParameter<int> { TypedValue = 1 } },
        };
        await using var lines = await explain.ExecuteReaderAsync(Ct);
        var plan = "";
        while (await lines.ReadAsync(Ct))
        {
            plan += lines.GetString(0) + "\n";
        }

        return plan;
    }
}

using System.Globalization;
using Benchmarks.Measuring;
using Benchmarks.Migration;
using Benchmarks.Requests;
using Npgsql;
using Tenancy;
using Tenancy.Migrations;

namespace Benchmarks.Scale;

/// <summary>
/// All customers get a light migration (a column and an index), and a heavy one (a table with a foreign key and two
/// indexes, a column that every row gets a value for): by the library, and by a loop on the server in transactions of
/// 1,000. Each on a copy of the database.
/// </summary>
internal sealed class ScaleMigration(
    Fleet fleet, string database, string few, int tenants, int rounds, Steps steps, TextWriter output)
{
    private const string Copy = "copy";
    private const int PerTransaction = 1000;
    private const string HeavyId = "20270105090000_AddPayments";

    private static CompiledMigration Heavy => new(HeavyId,
        $"""
        CREATE TABLE "{TenantPlaceholder.Schema}".payments (id uuid CONSTRAINT pk_payments PRIMARY KEY, invoice_id uuid NOT NULL,
            amount numeric(19,4) NOT NULL, paid_on date NOT NULL, note text,
            CONSTRAINT fk_payments_invoices FOREIGN KEY (invoice_id) REFERENCES "{TenantPlaceholder.Schema}".invoices (id) ON DELETE CASCADE);
        CREATE INDEX ix_payments_invoice_id ON "{TenantPlaceholder.Schema}".payments (invoice_id);
        CREATE INDEX ix_payments_paid_on ON "{TenantPlaceholder.Schema}".payments (paid_on);
        ALTER TABLE "{TenantPlaceholder.Schema}".contacts ADD COLUMN initials text;
        UPDATE "{TenantPlaceholder.Schema}".contacts SET initials = upper(left(name, 2));
        ALTER TABLE "{TenantPlaceholder.Schema}".contacts ALTER COLUMN initials SET NOT NULL;
        INSERT INTO "{TenantPlaceholder.Schema}"."__EFMigrationsHistory" ("MigrationId", "ProductVersion") VALUES ('{HeavyId}', '10.0.0');

        """);

    public async Task RunAsync(List<(string, double)> results, CancellationToken ct)
    {
        await using var admin = NpgsqlDataSource.Create(fleet.ConnectionString("postgres"));
        var light = await CompareAsync("light", new(fleet.Migrations, admin), rounds, ct);
        var heavy = await CompareAsync("heavy", new(fleet.Migrations, admin, Heavy), 1, ct);
        foreach (var (name, times, cpu) in new[] { light, heavy })
        {
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"        the {name} migration: {times.Median("ours"):0.0} s, the loop {times.Median("floor"):0.0} s; time " +
                $"{times.Ratio("ours", "floor")}, processor time {cpu.Ratio("ours", "floor")} of the loop's."));
        }

        results.Add(("migrate_vs_floor", light.Times.Ratio("ours", "floor").Median));
        results.Add(("migrate_cpu_vs_floor", light.Cpu.Ratio("ours", "floor").Median));
        results.Add(("migrate_heavy_vs_floor", heavy.Times.Ratio("ours", "floor").Median));
    }

    private async Task<(string Name, Turns Times, Turns Cpu)> CompareAsync(
        string name, Rivals rivals, int times, CancellationToken ct)
    {
        var (seconds, cpu) = (new Turns(), new Turns());
        Tenant[] customers = [.. Enumerable.Range(0, tenants).Select(Fleet.Tenant)];
        (string Name, Func<string, Task<Cost>> RunAsync)[] ways =
        [
            ("floor", copy => rivals.FloorAsync(copy, customers, ct, PerTransaction)),
            ("ours", copy => rivals.OursAsync(new(), copy, customers, ct)),
        ];
        // The first round compiles the code.
        Tenant[] customersOfFew = customers[..ScaleBenchmark.Few];
        await OnCopyAsync(few, copy => rivals.FloorAsync(copy, customersOfFew, ct), ct);
        await OnCopyAsync(few, copy => rivals.OursAsync(new(), copy, customersOfFew, ct), ct);
        for (var round = 0; round < times; round++)
        {
            foreach (var way in Turns.Order(ways, round))
            {
                await OnCopyAsync(database, async copy =>
                {
                    await steps.RunAsync($"migrate {tenants}, {name}: {way.Name}", tenants, async () =>
                    {
                        var cost = await way.RunAsync(copy);
                        seconds.Add(way.Name, round, cost.Milliseconds / 1000);
                        cpu.Add(way.Name, round, cost.CpuMilliseconds / 1000);
                    });
                    await CheckAsync(copy, rivals.Id, ct);
                }, ct);
            }
        }

        return (name, seconds, cpu);
    }

    private async Task OnCopyAsync(string of, Func<string, Task> work, CancellationToken ct)
    {
        await fleet.CreateDatabaseAsync(Copy, copyOf: of, ct);
        await fleet.CheckpointAsync(ct);
        await work(new NpgsqlConnectionStringBuilder(fleet.ConnectionString(Copy))
        {
            ApplicationName = Cost.Application,
        }.ConnectionString);
        await fleet.DropDatabaseAsync(Copy, ct);
    }

    /// <summary>Who did less would be faster.</summary>
    private async Task CheckAsync(string copy, string id, CancellationToken ct)
    {
        await using var source = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(copy) { Pooling = false }.ConnectionString);
        var migrated = 0L;
        foreach (var some in Enumerable.Range(0, tenants).Select(Fleet.Tenant).Chunk(100))
        {
            await using var ask = source.CreateCommand($"SELECT count(*) FROM ({string.Join(" UNION ALL ", some.Select(
                customer => $"SELECT \"MigrationId\" AS id FROM {customer.Schema.Qualify("__EFMigrationsHistory")}"))}) AS h WHERE id = $1");
            ask.Parameters.Add(new NpgsqlParameter<string> { TypedValue = id });
            migrated += (long)(await ask.ExecuteScalarAsync(ct))!;
        }

        if (migrated != tenants)
        {
            throw new InvalidOperationException($"{migrated} of {tenants} schemas have {id}.");
        }
    }
}

using System.Globalization;
using Benchmarks.Measuring;
using Tenancy;
using Tenancy.Migrations;

namespace Benchmarks.Citus;

/// <summary>
/// What do the product's operations take on a Citus cluster, beside a database without Citus on the coordinator's
/// server?
/// </summary>
/// <param name="coordinator">See <see cref="CitusDatabases"/>.</param>
/// <param name="tenants">How many customers each of the two databases has.</param>
/// <param name="rounds">How often each operation is measured in each.</param>
/// <param name="output">For the table.</param>
internal sealed class CitusBenchmark(string coordinator, int tenants, int rounds, TextWriter output)
{
    private const string Plain = "plain", Spread = "citus";
    private const string Schema = $"\"{TenantPlaceholder.Schema}\"", Invoices = $"{Schema}.invoices";
    private const string Concurrent = "20270108090000_AddIndex";

    // Of what takes about a millisecond, a round has many.
    private const int Requests = 200, Customers = 5;

    public async Task RunAsync(CancellationToken ct)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"benchmark_{Guid.NewGuid():n}");
        await using var databases = new CitusDatabases(coordinator);
        await output.WriteLineAsync(
            $"{await databases.DescriptionAsync(ct)}; creating {tenants} customers twice.");
        await using var plain = await CitusPlace.CreateAsync(
            await databases.CreateAsync($"{name}_plain", ct), tenants, ct);
        await using var spread = await CitusPlace.CreateAsync(
            await databases.CreateSpreadAsync($"{name}_citus", ct), tenants, ct);
        (string Name, CitusPlace Place)[] places = [(Plain, plain), (Spread, spread)];

        List<string[]> table = [["operation", "PostgreSQL alone, ms", "Citus, ms", "ratio"]];
        var results = new List<(string Key, double Ratio)>();
        // Those that change the number of schemas come last.
        foreach (var (key, operation, times, measure) in Operations())
        {
            var turns = new Turns();
            // The first round compiles the code and fills the caches.
            for (var round = -1; round < rounds; round++)
            {
                foreach (var (where, place) in Turns.Order(places, round))
                {
                    var sum = 0.0;
                    for (var time = 0; time < times; time++)
                    {
                        sum += await measure(place);
                    }

                    if (round >= 0)
                    {
                        turns.Add(where, round, sum / times);
                    }
                }
            }

            var ratio = turns.Ratio(Spread, Plain);
            table.Add([operation, Table.Number(turns.Median(Plain), "0.00"), Table.Number(turns.Median(Spread), "0.00"),
                $"{ratio}"]);
            results.Add((key, ratio.Median));
        }

        Table.Write(output, table);
        await output.WriteLineAsync();
        foreach (var (key, ratio) in results)
        {
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"result: citus.{key}_vs_plain={ratio:0.000}"));
        }

        IEnumerable<(string Key, string Operation, int Times, Func<CitusPlace, Task<double>> MeasureAsync)>
            Operations() =>
        [
            ("read_one", "a contact by its id, of one customer", Requests, place => place.ReadOneAsync(ct)),
            ("read_many", $"the same of {tenants} customers in turn", Requests, place => place.ReadNextAsync(ct)),
            ("write", "a new contact", Requests, place => place.WriteAsync(ct)),
            ("report", "a report over all customers", 1, place => place.ReportAsync(ct)),
            ("verify", "verify", 1, place => place.VerifyAsync(ct)),
            ("add_column", "a migration with ADD COLUMN, all customers", 1,
                place => place.MigrateAsync(Column, ct)),
            ("create_table", "a migration with CREATE TABLE", 1, place => place.MigrateAsync(NewTable, ct)),
            ("concurrently", "a migration with CREATE INDEX CONCURRENTLY", 1,
                place => place.MigrateAsync(Concurrently, ct)),
            ("from_spare", "a new customer from a spare schema", Customers, place => place.FromSpareAsync(ct)),
            ("new_customer", "a new customer", Customers, place => place.NewCustomerAsync(ct)),
        ];
    }

    private static CompiledMigration Column { get; } = Migration("20270106090000_AddReference",
        $"ALTER TABLE {Invoices} ADD COLUMN reference varchar(64);",
        $"ALTER TABLE {Invoices} DROP COLUMN reference;");

    private static CompiledMigration NewTable { get; } = Migration("20270107090000_AddPayments",
        $"CREATE TABLE {Schema}.payments (id uuid PRIMARY KEY, amount numeric(19,4) NOT NULL);",
        $"DROP TABLE {Schema}.payments;");

    private static CompiledMigration Concurrently { get; } = new(Concurrent,
        MigrationSql.Outside($"CREATE INDEX CONCURRENTLY ix_by_day ON {Invoices} (created_at);", Applied(Concurrent)),
        new(() => MigrationSql.InTransaction($"DROP INDEX {Schema}.ix_by_day;{TakenBack(Concurrent)}")));

    private static CompiledMigration Migration(string id, string up, string down) =>
        new(id, up + Applied(id), down + TakenBack(id));

    private static string Applied(string id) =>
        $"INSERT INTO {Schema}.\"__EFMigrationsHistory\" VALUES ('{id}', '10.0.0');";

    private static string TakenBack(string id) =>
        $"DELETE FROM {Schema}.\"__EFMigrationsHistory\" WHERE \"MigrationId\" = '{id}';";
}

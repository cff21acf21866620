using System.Diagnostics;
using System.Globalization;
using Benchmarks.Measuring;
using Benchmarks.Requests;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Tenancy.Backends;

namespace Benchmarks.Backends;

/// <summary>
/// How much memory does a server process keep of the schemas that it has met, against the library's estimate? And what
/// does it cost to close connections for it?
/// </summary>
internal sealed class BackendsBenchmark(int tenants, int rounds, TextWriter output)
{
    private const string Database = "backends";

    /// <summary>As many connections are open.</summary>
    private const int Workers = 4;

    private static readonly int[] s_customers = [100, 1_000, 10_000];
    private static readonly int[] s_connections = [4, 10, 30];
    private static readonly bool[] s_evenlyFirst = [true, false];

    private static readonly string[] s_contacts =
    [
        "SELECT FROM {0}.contacts WHERE id = ''00000000-0000-0000-0000-000000000003''",
        "INSERT INTO {0}.contacts (id, name, email, created_at) SELECT gen_random_uuid(), name, gen_random_uuid()::text, " +
        "created_at FROM {0}.contacts LIMIT 1",
    ];

    /// <summary>All of the sample's tables are read, and each gets rows whose foreign keys are checked.</summary>
    private static readonly string[] s_all =
    [
        .. s_contacts,
        "INSERT INTO {0}.invoices (id, contact_id, currency_code, issued_on, due_on, created_at) SELECT gen_random_uuid(), " +
        "id, ''EUR'', date ''2026-01-01'', date ''2026-02-01'', now() FROM {0}.contacts LIMIT 1",
        "INSERT INTO {0}.invoice_lines (id, invoice_id, position, description, quantity, unit_price, total) SELECT " +
        "gen_random_uuid(), id, 1, ''Consulting'', 1, 2, 2 FROM {0}.invoices LIMIT 1",
        "UPDATE {0}.invoices SET due_on = due_on + 1",
        "DELETE FROM {0}.invoice_lines", "DELETE FROM {0}.invoices",
    ];

    public async Task RunAsync(CancellationToken ct)
    {
        await using var fleet = await Fleet.StartAsync(ct, inMemory: true);
        await output.WriteLineAsync($"{await fleet.DescriptionAsync(ct)}; creating {tenants} customers.");
        await fleet.CreateDatabaseAsync(Database, copyOf: null, ct);
        await fleet.MigrateSharedAsync(Database, ct);
        await fleet.ProvisionAsync(Database, 0, tenants, ct);
        var database = fleet.ConnectionString(Database);
        var one = await KilobytesAsync(database, "one table, read and written", s_contacts, ct);
        var all = await KilobytesAsync(database, "all tables, read and written", s_all, ct);
        await EstimatesAsync(one, all);
        await Memory(("1", one), ("5", all));
        await CountAsync(database, ct);
        await CostAsync(fleet, ct);
    }

    /// <summary>What a request pays for the count.</summary>
    private async Task CountAsync(string database, CancellationToken ct)
    {
        const int Times = 1_000_000;
        Tenant[] all = [.. Enumerable.Range(0, tenants).Select(Fleet.Tenant)];
        await using var source = TenantDataSource.Create(new() { ConnectionString = database, BackendMemory = 1L << 40 });
        await using var connection = await source.OpenConnectionAsync(ct);
        var nanoseconds = new List<double>();
        for (var round = 0; round < rounds; round++)
        {
            // Processor time: what else the machine does is no part of it.
            var before = Environment.CpuUsage.TotalTime;
            for (var time = 0; time < Times; time++)
            {
                Backend.Meet(connection, all[time % tenants].Schema, SchemaFootprint.History);
            }

            nanoseconds.Add((Environment.CpuUsage.TotalTime - before).TotalNanoseconds / Times);
        }

        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"  to count a schema takes {Statistics.Median(nanoseconds):0} ns of a request"));
    }

    private async Task<double> KilobytesAsync(string database, string what, string[] statements, CancellationToken ct)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(database) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(ct);
        await MeetAsync(connection, 0, 1, statements, ct);
        var before = ServerProcesses.Memory(connection.ProcessID);
        await MeetAsync(connection, 1, tenants, statements, ct);
        var kilobytes = (ServerProcesses.Memory(connection.ProcessID) - before) / 1000.0 / (tenants - 1);
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"  {what,-30} {kilobytes,6:0.0} KB for each schema, beside {before / 1e6:0.0} MB"));
        return kilobytes;
    }

    private static async Task MeetAsync(
        NpgsqlConnection connection, int from, int to, string[] statements, CancellationToken ct)
    {
        var work = string.Concat(statements.Select(statement =>
            $"EXECUTE format('{statement.Replace("{0}", "%1$I", StringComparison.Ordinal)}', schema);\n"));
        await using var meet = new NpgsqlCommand($"""
            DO $do$ DECLARE schema text; BEGIN
              FOREACH schema IN ARRAY ARRAY[{string.Join(", ", Enumerable.Range(from, to - from)
                .Select(number => $"'{Fleet.Tenant(number).Schema}'"))}] LOOP
                {work}COMMIT;
              END LOOP;
            END $do$
            """, connection) { CommandTimeout = 0 };
        await meet.ExecuteNonQueryAsync(ct);
    }

    private async Task EstimatesAsync(double one, double all)
    {
        await using var services = new ServiceCollection().AddTenancy<InvoicingContext>(options =>
            options.ConnectionString = "Host=127.0.0.1").BuildServiceProvider();
        await using var sample = services.GetRequiredService<IDbContextFactory<InvoicingContext>>().CreateDbContext();
        var estimate = SchemaFootprint.Of(sample.Model).Bytes / 1000.0;
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"  the library's estimate for the sample: {estimate:0} KB, {estimate / all:0.00} of what all tables take, " +
            $"{estimate / one:0.0} of what one takes"));
        await output.WriteLineAsync(
            string.Create(CultureInfo.InvariantCulture, $"result: backends.estimate_vs_measured={estimate / all:0.000}"));
    }

    private async Task Memory(params (string Tables, double Kilobytes)[] measured)
    {
        List<string[]> rows = [["customers", "tables", "one backend", .. s_connections.Select(count => $"{count} connections")]];
        rows.AddRange(from customers in s_customers
                      from one in measured
                      let megabytes = (Backend.Fresh / 1e6) + (customers * one.Kilobytes / 1000)
                      select (string[])[$"{customers:N0}", one.Tables, Megabytes(megabytes),
                          .. s_connections.Select(count => Megabytes(megabytes * count))]);
        Table.Write(output, rows);
        await output.WriteLineAsync();

        static string Megabytes(double megabytes) => megabytes < 1000
            ? string.Create(CultureInfo.InvariantCulture, $"{megabytes:0} MB")
            : string.Create(CultureInfo.InvariantCulture, $"{megabytes / 1000:0.0} GB");
    }

    /// <summary>
    /// The same requests with room for all schemas, for half of them and for a tenth, evenly and as real customers ask.
    /// </summary>
    private async Task CostAsync(Fleet fleet, CancellationToken ct)
    {
        await using var admin = NpgsqlDataSource.Create(fleet.ConnectionString("postgres"));
        var server = await ServerProcesses.OfAsync(admin, ct);
        Tenant[] all = [.. Enumerable.Range(0, tenants).Select(Fleet.Tenant)];
        (string Name, double Part)[] rooms = [("for all", 2), ("for a half", 0.5), ("for a tenth", 0.1)];
        var (time, cpu) = (new Turns(), new Turns());
        var recycled = new Dictionary<string, (long Connections, long Requests)>();
        foreach (var evenly in s_evenlyFirst)
        {
            var variants = rooms.Select(room => (Name(evenly, room.Name), Ours: new Ours(Name(evenly, room.Name),
                fleet.ConnectionString(Database), all, compiled: true))).ToList();
            foreach (var ((_, ours), (_, part)) in variants.Zip(rooms))
            {
                // Afterwards, because an application's budget may not be as small.
                Room(ours.Options, part);
            }

            for (var round = -1; round < rounds; round++)
            {
                foreach (var (name, ours) in Turns.Order(variants, round))
                {
                    var before = ours.Options.Backends.Recycled;
                    var (requests, seconds, processor) = await LoadAsync(ours, server, evenly, round, ct);
                    if (round >= 0)
                    {
                        time.Add(name, round, seconds * 1e6 / requests);
                        cpu.Add(name, round, processor * 1e6 / requests);
                        var (connections, sent) = recycled.GetValueOrDefault(name);
                        recycled[name] =
                            (connections + ours.Options.Backends.Recycled - before, sent + requests);
                    }
                }
            }

            foreach (var (_, ours) in variants)
            {
                await ours.DisposeAsync();
            }
        }

        List<string[]> rows = [["asked", "room", "us for a request", "against room for all", "processor time, us",
            "against room for all", "connections closed in 1,000 requests"]];
        rows.AddRange(from evenly in s_evenlyFirst
                      from room in rooms
                      let name = Name(evenly, room.Name)
                      let first = Name(evenly, rooms[0].Name)
                      select (string[])[evenly ? "evenly" : "Zipf", room.Name, Table.Number(time.Median(name), "0"),
                          $"{time.Ratio(name, first)}", Table.Number(cpu.Median(name), "0"), $"{cpu.Ratio(name, first)}",
                          Table.Number(1000.0 * recycled[name].Connections / recycled[name].Requests, "0.00")]);
        Table.Write(output, rows);
        await output.WriteLineAsync();
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"result: backends.half_the_room_vs_all={cpu.Ratio(Name(false, rooms[1].Name), Name(false, rooms[0].Name)).Median:0.000}"));

        static string Name(bool evenly, string room) => $"{(evenly ? "evenly" : "Zipf")}, {room}";

        void Room(TenancyOptions options, double part)
        {
            // The library's own estimate for a context of one table with two indexes.
            var share = Backend.Fresh + (long)(tenants * part * new SchemaFootprint(3).Bytes);
            options.BackendMemory = share * Workers;
            options.LeastBackendShare = Math.Min(share, options.LeastBackendShare);
        }
    }

    private async Task<(int Requests, double Seconds, double Cpu)> LoadAsync(
        Ours ours, ServerProcesses server, bool evenly, int round, CancellationToken ct)
    {
        var perWorker = Math.Max(50, tenants);
        GC.Collect();
        var (client, serverBefore, start) = (Environment.CpuUsage.TotalTime, server.Seconds(), Stopwatch.GetTimestamp());
        await Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => Task.Run(async () =>
        {
            var walk = new Walk(tenants, (Math.Abs(round) * 7) + (worker * tenants / Workers));
            var zipf = new Zipf(tenants, ((round + 2) * Workers) + worker);
            for (var sent = 0; sent < perWorker; sent++)
            {
                var tenant = ours.Tenants[evenly ? walk.Next() : zipf.Next()];
                _ = await ours.FindAsync(tenant, Fleet.ContactId(sent % Fleet.ContactsPerTenant), ct)
                    ?? throw new InvalidOperationException("A row isn't there.");
            }
        }, ct)));
        return (perWorker * Workers, Stopwatch.GetElapsedTime(start).TotalSeconds,
            (Environment.CpuUsage.TotalTime - client).TotalSeconds + server.Seconds() - serverBefore);
    }
}

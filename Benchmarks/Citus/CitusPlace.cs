using System.Diagnostics;
using Benchmarks.Provisioning;
using Benchmarks.Requests;
using Data.Customers;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Tenancy;
using Tenancy.Migrations;

namespace Benchmarks.Citus;

/// <summary>
/// A database of the coordinator's server with some customers: spread over the cluster's nodes, or without the
/// extension. Both have the same server, its settings and its processors.
/// </summary>
internal sealed class CitusPlace : IAsyncDisposable
{
    private readonly string _connectionString;
    private readonly ServiceProvider _services;
    private readonly NpgsqlDataSource _source;
    private readonly CompiledMigrations _build;
    private readonly Ways _ways;
    private readonly Tenant[] _tenants;
    private readonly Ours _requests;
    private int _read;

    private CitusPlace(string connectionString, ServiceProvider services, Ways ways, Tenant[] tenants)
    {
        _connectionString = connectionString;
        _services = services;
        _source = services.GetRequiredService<NpgsqlDataSource>();
        _build = services.GetRequiredService<CompiledMigrations>();
        _ways = ways;
        _tenants = tenants;
        _requests = new("citus benchmark", connectionString, tenants);
    }

    /// <param name="connectionString">Of an empty database.</param>
    /// <param name="customers">How many it gets, with some contacts each.</param>
    /// <param name="ct">Ends the wait.</param>
    public static async Task<CitusPlace> CreateAsync(string connectionString, int customers, CancellationToken ct)
    {
        var unpooled = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString;
        await using (var shared = new CustomersContext(
            new DbContextOptionsBuilder<CustomersContext>().UseNpgsql(unpooled, CustomersContext.History).Options))
        {
            await shared.Database.MigrateAsync(ct);
        }

        var services = new ServiceCollection()
            .AddTenancy<InvoicingContext>(options => options.ConnectionString = connectionString)
            .BuildServiceProvider();
        var ways = new Ways(services.GetRequiredService<NpgsqlDataSource>(),
            services.GetRequiredService<CompiledMigrations>(), services.GetRequiredService<SchemaVersions>())
        {
            Password = new NpgsqlConnectionStringBuilder(connectionString).Password ?? "",
        };
        var tenants = new List<Tenant>();
        for (var number = 0; number < customers; number++)
        {
            var schema = await ways.MakeAsync(ct);
            tenants.Add(new(Fleet.ContactId(number), $"t-{number}", schema));
            await using var fill = services.GetRequiredService<NpgsqlDataSource>()
                .CreateCommand(Fleet.Contacts(schema.Quoted, schema.Value));
            await fill.ExecuteNonQueryAsync(ct);
        }

        return new(connectionString, services, ways, [.. tenants]);
    }

    /// <summary>A new customer's schema, in milliseconds.</summary>
    public Task<double> NewCustomerAsync(CancellationToken ct) => _ways.OursAsync(ct);

    /// <summary>The same from a spare schema, which is made before the clock starts.</summary>
    public async Task<double> FromSpareAsync(CancellationToken ct)
    {
        await _ways.MakeSparesAsync(1, ct);
        return await _ways.SpareAsync(ct);
    }

    /// <summary>One contact of one customer, again and again.</summary>
    public Task<double> ReadOneAsync(CancellationToken ct) => TimeAsync(() => FindAsync(_tenants[0], ct));

    /// <summary>One contact of the next customer.</summary>
    public Task<double> ReadNextAsync(CancellationToken ct) =>
        TimeAsync(() => FindAsync(_tenants[++_read % _tenants.Length], ct));

    /// <summary>One contact more for the next customer, by <c>SaveChanges</c>.</summary>
    public Task<double> WriteAsync(CancellationToken ct) =>
        TimeAsync(() => _requests.InsertAsync(_tenants[++_read % _tenants.Length], Fleet.NewContact(), ct));

    /// <summary>All customers' number of contacts.</summary>
    public Task<double> ReportAsync(CancellationToken ct) => TimeAsync(async () =>
    {
        await using var scope = _services.CreateAsyncScope();
        var across = scope.ServiceProvider.GetRequiredService<AcrossTenants<InvoicingContext>>();
        var rows = 0;
        await foreach (var tenant in across.ReadAsync(_tenants,
            db => db.Set<Contact>().GroupBy(contact => contact.Name).Select(names => names.Count()), ct: ct))
        {
            rows += tenant.Error is { } error ? throw new InvalidOperationException(error) : tenant.Rows.Count;
        }

        if (rows < _tenants.Length)
        {
            throw new InvalidOperationException($"{rows} rows of {_tenants.Length} customers.");
        }
    });

    /// <summary>Compares all schemas with the migrations.</summary>
    public Task<double> VerifyAsync(CancellationToken ct) => TimeAsync(async () =>
    {
        var report = await new FleetVerifier(_source, _build, new(_source, _build),
            _services.GetRequiredService<TenancyOptions>(), TimeProvider.System).VerifyAsync(ct: ct);
        if (report is not { IsClean: true, Incomparable.Count: 0 } || report.Checked < _tenants.Length)
        {
            throw new InvalidOperationException(
                $"{report.Checked} schemas compared, {report.Drifted.Count} differ.");
        }
    });

    /// <summary>Migrates all schemas; takes the migration back when the clock has stopped.</summary>
    public async Task<double> MigrateAsync(CompiledMigration migration, CancellationToken ct)
    {
        var build = new CompiledMigrations(
            [.. _build.Migrations, migration], _build.CreateHistoryScript(_tenants[0].Schema), _build.HistoryTable);
        await using var source = TenantDataSource.Create(new() { ConnectionString = _connectionString });
        var migrator = new FleetMigrator(
            source, build, new(source, build), TimeProvider.System, NullLogger<FleetMigrator>.Instance);
        var time = await TimeAsync(() => RunAsync(new()));
        await RunAsync(new() { Down = true, To = _build.Ids.Last() });
        return time;

        async Task RunAsync(FleetPlan plan)
        {
            var report = await migrator.RunAsync(plan, ct);
            if (report.Migrated < _tenants.Length || report.Failed.Count > 0)
            {
                throw new InvalidOperationException(
                    $"{report.Migrated} of {_tenants.Length} schemas were migrated. {report.Reason} " +
                    $"{string.Join(" ", report.Failed.Select(failed => failed.Error).Take(1))}");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _requests.DisposeAsync();
        await _ways.DisposeAsync();
        await _services.DisposeAsync();
    }

    private async Task FindAsync(Tenant tenant, CancellationToken ct) =>
        _ = await _requests.FindAsync(tenant, Fleet.ContactId(1), ct)
            ?? throw new InvalidOperationException($"{tenant.Schema} lacks a contact that was written.");

    private static async Task<double> TimeAsync(Func<Task> work)
    {
        var start = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }
}

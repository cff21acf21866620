using Data.Customers;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Tests.Integration.Customers;
using Xunit;

namespace Tests.Integration.Fleet;

/// <summary>
/// Customers of one test in a database of its own, and tasks whose work can be counted: each attempt that stays is one
/// contact of the name <c>visited</c>.
/// </summary>
internal sealed class TaskCustomers : IAsyncDisposable
{
    public const string Visit =
        """
        INSERT INTO "__Tenant__".contacts (id, name, created_at) VALUES (gen_random_uuid(), 'visited', now());
        """;

    private readonly CustomersDatabase _database;

    private TaskCustomers(CustomersDatabase database, IReadOnlyList<SchemaName> schemas)
    {
        _database = database;
        Schemas = schemas;
        Application = database.Application();
    }

    public IServiceProvider Application { get; }

    public IReadOnlyList<SchemaName> Schemas { get; }

    public TenantTasks Tasks => Application.GetRequiredService<TenantTasks>();

    public string ConnectionString => _database.ConnectionString;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Customers <c>t-00</c> and so on.</summary>
    public static async Task<TaskCustomers> StartAsync(App app, int count)
    {
        var database = await CustomersDatabase.CreateAsync(app);
        var schemas = new List<SchemaName>();
        var maker = database.Application();
        for (var at = 0; at < count; at++)
        {
            var customer = await CustomersDatabase.CreateAsync(maker, $"t-{at:00}");
            schemas.Add(customer.AsTenant().Schema);
        }

        return new(database, schemas);
    }

    /// <summary>Another process of the same application.</summary>
    public TenantTasks Another() => _database.Application().GetRequiredService<TenantTasks>();

    public Task<Customer> AddAsync(string slug) => CustomersDatabase.CreateAsync(Application, slug);

    public Task<FleetReport> RunAsync(TenantTask task, FleetPlan? plan = null) =>
        Tasks.RunAsync(task, plan ?? new(), null, CancellationToken.None, Ct);

    /// <summary>Makes each attempt for that customer fail.</summary>
    public Task BreakAsync(SchemaName schema) => ScalarAsync(
        $"ALTER TABLE {schema.Qualify("contacts")} ADD CONSTRAINT by_hand CHECK (name <> 'visited')");

    public Task MendAsync(SchemaName schema) =>
        ScalarAsync($"ALTER TABLE {schema.Qualify("contacts")} DROP CONSTRAINT by_hand");

    /// <summary>How often each customer's work was done and stayed.</summary>
    public async Task<IReadOnlyList<long>> VisitsAsync()
    {
        var visits = new List<long>();
        foreach (var schema in Schemas)
        {
            visits.Add((long)(await ScalarAsync(
                $"SELECT count(*) FROM {schema.Qualify("contacts")} WHERE name = 'visited'"))!);
        }

        return visits;
    }

    public async Task<object?> ScalarAsync(string sql)
    {
        await using var command = _database.Admin.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Ct);
    }

    /// <summary>Holds a customer's ledger row until it is disposed of.</summary>
    public async Task<NpgsqlConnection> HoldAsync(SchemaName schema)
    {
        var connection = await _database.Admin.OpenConnectionAsync(Ct);
        await connection.BeginTransactionAsync(Ct);
        await using var hold = new NpgsqlCommand(
            $"SELECT schema FROM tenancy.schemas WHERE schema = '{schema}' FOR UPDATE", connection);
        await hold.ExecuteScalarAsync(Ct);
        return connection;
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();
}

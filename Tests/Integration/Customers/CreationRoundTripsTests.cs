using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Tests.Integration.Server;
using Xunit;

namespace Tests.Integration.Customers;

/// <summary>
/// How often the creation of a customer waits for the server, counted on the wire. Each is a network's delay for
/// whoever signs up.
/// </summary>
public sealed class CreationRoundTripsTests(App app) : IAsyncLifetime
{
    private CustomersDatabase? _database;
    private RoundTrips? _wire;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await CustomersDatabase.CreateAsync(app);
        _wire = new RoundTrips(_database.ConnectionString);
    }

    public async ValueTask DisposeAsync()
    {
        await _database!.DisposeAsync();
        await _wire!.DisposeAsync();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task A_customer_is_created_in_five_round_trips_with_a_spare_or_without(int warmPool)
    {
        var application = await ApplicationAsync(warmPool);

        var before = _wire!.Count;
        var spares = (await _database!.SparesAsync()).Length;
        await CustomersDatabase.CreateAsync(application, "acme");

        // Is the slug free; BEGIN, and the schema's name with a spare, if there is one; the customer's row; the schema,
        // or the spare's new name; COMMIT.
        Assert.Equal(5, _wire.Count - before);
        Assert.Equal(warmPool > 0 ? 1 : 0, spares - (await _database.SparesAsync()).Length);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task A_schema_is_provisioned_in_two_round_trips_however_many_tables_it_has_with_a_spare_or_without(int warmPool)
    {
        var application = await ApplicationAsync(warmPool);
        await using var connection = await application.GetRequiredService<NpgsqlDataSource>().OpenConnectionAsync(Ct);
        await using var transaction = await connection.BeginTransactionAsync(Ct);

        var before = _wire!.Count;
        await application.GetRequiredService<SchemaProvisioner>().ProvisionAsync(transaction, "customer_acme", ct: Ct);

        // BEGIN goes with the first.
        Assert.Equal(2, _wire.Count - before);
        await transaction.CommitAsync(Ct);
        Assert.Equal(3, _wire.Count - before);
        Assert.Equal("ready",
            await _database!.ScalarAsync<string>("SELECT state FROM tenancy.schemas WHERE schema = 'customer_acme'"));
    }

    [Fact]
    public async Task A_taken_name_costs_one_more()
    {
        var application = await ApplicationAsync(warmPool: 0);
        await _database!
            .ScalarAsync<int>(
                "WITH taken AS (INSERT INTO tenancy.schemas (schema, state) VALUES ('customer_acme', " +
                "'archived')) SELECT 1");

        var before = _wire!.Count;
        Assert.Equal("customer_acme_2", (await CustomersDatabase.CreateAsync(application, "acme")).Schema);

        Assert.Equal(6, _wire.Count - before);
    }

    /// <summary>
    /// One whose connection is open and whose migrations are compiled: the first customer pays for that.
    /// </summary>
    private async Task<ServiceProvider> ApplicationAsync(int warmPool)
    {
        var application = _database!.Application(warmPool, _wire!.Settings);
        await CustomersDatabase.CreateAsync(application, "first");
        if (warmPool > 0)
        {
            await CustomersDatabase.Keeper(application).FillAsync(Ct);
        }

        return application;
    }
}

using Data.Customers;
using Npgsql;
using Tests.Integration.Server;
using Xunit;

namespace Tests.Integration.Customers;

/// <summary>
/// Spare schemas by way of PgBouncer in transaction mode: a claim and the new name need one transaction, and no
/// session.
/// </summary>
public sealed class SparesThroughPoolerTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Spares_are_made_and_given_to_more_at_once_than_the_pooler_has_connections_and_one_each()
    {
        await using var database = await CustomersDatabase.CreateAsync(app);
        await using var pooler = await PgBouncer.StartAsync(database.ConnectionString, Ct);
        var application = database.Application(warmPool: 2 * PgBouncer.ServerConnections, By(pooler));
        await CustomersDatabase.Keeper(application).FillAsync(Ct);
        var spares = await database.SparesAsync();
        Assert.Equal(2 * PgBouncer.ServerConnections, spares.Length);

        var customers = await Task.WhenAll(
            spares.Select((_, i) => CustomersDatabase.CreateAsync(application, $"c{i}", async invoicing =>
            {
                invoicing.Contacts.Add(new() { Name = $"of c{i}", CreatedAt = TimeProvider.System.GetUtcNow() });
                await invoicing.SaveChangesAsync(Ct);
            })));

        Assert.Equal(spares,
            (await Task.WhenAll(customers.Select(customer => database.IdentityAsync(customer.Schema)))).Order());
        Assert.Empty(await database.SparesAsync());
        foreach (var customer in customers)
        {
            Assert.Equal($"of {customer.Slug}",
                await database.ScalarAsync<string>(
                    $"SELECT string_agg(name, ',') FROM {customer.AsTenant().Schema.Qualify("contacts")}"));
            Assert.Equal("ready",
                await database.ScalarAsync<string>(
                    "SELECT state FROM tenancy.schemas WHERE schema = $1", customer.Schema));
        }
    }

    [Fact]
    public async Task Who_comes_second_for_a_slug_gives_his_spare_back()
    {
        await using var database = await CustomersDatabase.CreateAsync(app);
        await using var pooler = await PgBouncer.StartAsync(database.ConnectionString, Ct);
        var application = database.Application(warmPool: 3, By(pooler));
        await CustomersDatabase.Keeper(application).FillAsync(Ct);
        var spares = await database.SparesAsync();

        var created = await Task.WhenAll(Enumerable.Range(0, 3).Select(async _ =>
        {
            try
            {
                return await CustomersDatabase.CreateAsync(application, "same");
            }
            catch (SlugTakenException)
            {
                return null;
            }
        }));

        var given = await database.IdentityAsync(Assert.Single(created.OfType<Customer>()).Schema);
        Assert.Equal(spares.Except([given]), await database.SparesAsync());
    }

    private static string By(PgBouncer pooler)
    {
        var address = new NpgsqlConnectionStringBuilder(pooler.ConnectionString);
        return $"Host={address.Host};Port={address.Port};SSL Mode=Disable;Maximum Pool Size=12";
    }
}

using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Api.Tenants;
using Data.Customers;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tenancy;
using Xunit;

namespace Tests.Integration.Customers;

/// <summary>Customers who get a schema that was made before they were known.</summary>
public sealed class SpareSchemasTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Of_eight_at_once_and_three_spares_everyone_gets_a_schema_of_his_own_that_nothing_tells_from_a_fresh_one()
    {
        await using var database = await CustomersDatabase.CreateAsync(app);
        var fresh = await database.DescribeAsync(
            (await CustomersDatabase.CreateAsync(database.Application(), "fresh")).Schema);
        var application = database.Application(warmPool: 3);
        await CustomersDatabase.Keeper(application).FillAsync(Ct);
        var spares = await database.SparesAsync();

        var created = await Task.WhenAll(
            new[] { "a", "b", "c", "d", "e", "same", "same", "same" }.Select(async slug =>
            {
                try
                {
                    return await CustomersDatabase.CreateAsync(application, slug);
                }
                catch (SlugTakenException)
                {
                    return null;
                }
            }));

        var customers = created.OfType<Customer>().ToList();
        Assert.Equal(["a", "b", "c", "d", "e", "same"], customers.Select(customer => customer.Slug).Order());
        Assert.Equal(customers.Select(customer => CustomerSlug.WantedSchema(customer.Slug)),
            customers.Select(customer => customer.Schema));
        List<uint> identities = [];
        foreach (var customer in customers)
        {
            Assert.Equal(fresh, await database.DescribeAsync(customer.Schema));
            Assert.Equal("ready",
                await database.ScalarAsync<string>(
                    "SELECT state FROM tenancy.schemas WHERE schema = $1", customer.Schema));
            identities.Add(await database.IdentityAsync(customer.Schema));
        }

        // Given or still there, each once; who came second for a slug gave his back.
        Assert.Equal(spares, identities.Intersect(spares).Concat(await database.SparesAsync()).Order());
        Assert.Equal(7 + (await database.SparesAsync()).Length,
            await database.ScalarAsync<long>("SELECT count(*) FROM tenancy.schemas"));
    }

    [Fact]
    public async Task First_data_is_written_into_the_spare_in_the_same_transaction()
    {
        await using var database = await CustomersDatabase.CreateAsync(app);
        var application = database.Application(warmPool: 1);
        await CustomersDatabase.Keeper(application).FillAsync(Ct);
        var spare = Assert.Single(await database.SparesAsync());

        var customer = await CustomersDatabase.CreateAsync(application, "acme", async invoicing =>
        {
            invoicing.Contacts.Add(new() { Name = "Ada Moreau", CreatedAt = TimeProvider.System.GetUtcNow() });
            await invoicing.SaveChangesAsync(Ct);
        });

        Assert.Equal(spare, await database.IdentityAsync(customer.Schema));
        Assert.Equal("Ada Moreau",
            await database.ScalarAsync<string>($"SELECT name FROM {customer.AsTenant().Schema.Qualify("contacts")}"));
    }

    [Fact]
    public async Task A_name_that_was_used_before_is_not_used_for_a_spare_either()
    {
        await using var database = await CustomersDatabase.CreateAsync(app);
        var application = database.Application(warmPool: 1);
        await CustomersDatabase.CreateAsync(database.Application(), "acme");
        await database.ScalarAsync<int>("WITH renamed AS (UPDATE public.customers SET slug = 'acme-old') SELECT 1");
        await CustomersDatabase.Keeper(application).FillAsync(Ct);
        var spare = Assert.Single(await database.SparesAsync());

        var second = await CustomersDatabase.CreateAsync(application, "acme");

        Assert.Equal("customer_acme_2", second.Schema);
        Assert.Equal(spare, await database.IdentityAsync(second.Schema));
    }

    [Fact]
    public async Task As_many_as_the_pool_has_connections_are_created_at_once_by_an_application_that_has_created_none_before()
    {
        await using var database = await CustomersDatabase.CreateAsync(app);
        var application = database.Application(settings: "Maximum Pool Size=4;Timeout=5");

        var customers = await Task.WhenAll(
            Enumerable.Range(0, 4).Select(i => CustomersDatabase.CreateAsync(application, $"c{i}")));

        Assert.Equal(4, customers.Select(customer => customer.Schema).Distinct().Count());
    }

    [Fact]
    public async Task The_api_makes_spares_and_serves_customers_from_them()
    {
        await using var database = await CustomersDatabase.CreateAsync(app);
        var serving = await app.Server.AddTenantsLoginAsync(database.ConnectionString, Ct);
        await using var api = new ApiFactory().WithWebHostBuilder(host => host
            .UseEnvironment("Development")
            .UseSetting("ConnectionStrings:tenants", database.ConnectionString)
            .UseSetting("ConnectionStrings:tenantsApi", serving)
            .UseSetting("Tenancy:WarmPool", "2")
            .ConfigureLogging(logging => logging.ClearProviders()));
        using var operators = api.CreateClient();

        List<uint> given = [];
        for (var i = 0; i < 3; i++)
        {
            uint[] spares = [];
            // Made in the background, at the start and after each.
            await Eventually.HoldsAsync(async () => (spares = await database.SparesAsync()).Length >= 2);

            var slug = $"acme-{i}";
            using var created = await operators.PostAsJsonAsync("/customers", new { slug, name = "Acme" }, Ct);
            var view = (await created.Content.ReadFromJsonAsync<JsonNode>(Ct))!;
            var identity = await database.IdentityAsync((string)view["schema"]!);
            Assert.Contains(identity, spares);
            given.Add(identity);

            var client = api.CreateClient();
            client.DefaultRequestHeaders.Add(CustomerHeader.Header, slug);
            var acme = new TestCustomer(new(Guid.Empty, slug, SchemaName.Parse((string)view["schema"]!)), client);
            Assert.Empty(await acme.InvoicesAsync());
            await acme.CreateInvoiceAsync(120 + i);
            Assert.Equal(120 + i, (decimal)Assert.Single(await acme.InvoicesAsync())!["total"]!);
        }

        Assert.Equal(3, given.Distinct().Count());
        Assert.Equal(3, (int)(await operators.GetFromJsonAsync<JsonNode>("/customers", Ct))!["total"]!);
        var report = (await operators.GetStringAsync("/reports/receivables", Ct))!;
        Assert.DoesNotContain("spare", report, StringComparison.Ordinal);
    }
}

using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Integration.Isolation;

/// <summary>One customer that can't be served never keeps the others from it.</summary>
public sealed class AvailabilityTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_customer_whose_migration_failed_is_being_upgraded_and_the_others_are_served()
    {
        var broken = await app.NewCustomerAsync();
        var other = await app.NewCustomerAsync();
        await LedgerAsync(broken.Tenant, "state = 'failed'");

        await RefusedAsync(broken, "failed", "waits for a repair", atLeastSeconds: 60);
        Assert.Empty(await other.InvoicesAsync());
    }

    [Fact]
    public async Task A_schema_behind_the_build_waits_and_one_ahead_of_it_is_served()
    {
        var behind = await app.NewCustomerAsync();
        var ahead = await app.NewCustomerAsync();
        await LedgerAsync(behind.Tenant, $"version = '{CompiledMigrations.Fingerprint([])}'");
        await LedgerAsync(ahead.Tenant, $"version = '{await VersionAsync("99991231235959_Newer")}'");

        await BeingUpgradedAsync(behind);
        Assert.Empty(await ahead.InvoicesAsync());
    }

    [Fact]
    public async Task A_schema_with_a_migration_that_breaks_older_builds_waits_for_a_newer_one()
    {
        var broken = await app.NewCustomerAsync();
        var other = await app.NewCustomerAsync();
        await LedgerAsync(
            broken.Tenant, $"version = '{await VersionAsync("99991231235959_Contract", breaking: true)}'");

        await BeingUpgradedAsync(broken);
        Assert.Empty(await other.InvoicesAsync());
    }

    [Fact]
    public async Task A_schema_that_lacks_a_migration_merged_late_waits_although_it_has_a_newer_one()
    {
        var late = await app.NewCustomerAsync();
        await LedgerAsync(late.Tenant, $"version = '{await VersionAsync("99991231235959_Newer", without: 1)}'");

        await BeingUpgradedAsync(late);
    }

    [Fact]
    public async Task A_version_that_nobody_wrote_down_is_not_served()
    {
        var customer = await app.NewCustomerAsync();
        await LedgerAsync(
            customer.Tenant, $"version = '{CompiledMigrations.Fingerprint([Guid.NewGuid().ToString()])}'");

        await BeingUpgradedAsync(customer);
    }

    /// <summary>Programs tell them apart by the type, people by the words, both by how long to wait.</summary>
    [Fact]
    public async Task A_schema_that_is_being_made_waits_for_seconds()
    {
        var customer = await app.NewCustomerAsync();
        await LedgerAsync(customer.Tenant, "state = 'provisioning'");

        await RefusedAsync(customer, "provisioning", "being created", atLeastSeconds: 1);
    }

    [Fact]
    public async Task Operators_see_each_state_by_its_name()
    {
        var customers = new Dictionary<string, TestCustomer>();
        foreach (var (availability, set) in new[]
        {
            ("served", "ring = ring"), ("failed", "state = 'failed'"), ("provisioning", "state = 'provisioning'"),
            ("upgrading", $"version = '{CompiledMigrations.Fingerprint([])}'"),
        })
        {
            customers[availability] = await app.NewCustomerAsync();
            await LedgerAsync(customers[availability].Tenant, set);
        }

        foreach (var (availability, customer) in customers)
        {
            var slug = customer.Tenant.Slug;
            var one = await customer.Http.GetFromJsonAsync<JsonNode>($"/customers/{slug}", Ct);
            var listed = await customer.Http.GetFromJsonAsync<JsonNode>($"/customers?search={slug}", Ct);

            Assert.Equal(availability, (string)one!["availability"]!);
            Assert.Equal(availability, (string)Assert.Single(listed!["items"]!.AsArray())!["availability"]!);
            Assert.Equal("active", (string)one["status"]!);
        }
    }

    [Theory]
    [InlineData("/invoices", HttpStatusCode.OK)]
    [InlineData("/invoices?page=-1", HttpStatusCode.BadRequest)]
    [InlineData("/invoices/00000000-0000-0000-0000-000000000000", HttpStatusCode.NotFound)]
    public async Task No_cache_keeps_a_customers_answer(string address, HttpStatusCode status)
    {
        var customer = await app.NewCustomerAsync();

        using var answer = await customer.Http.GetAsync(address, Ct);

        Assert.Equal(status, answer.StatusCode);
        Assert.True(answer.Headers.CacheControl?.NoStore);
        Assert.Contains("X-Customer", answer.Headers.Vary);
    }

    [Fact]
    public async Task No_cache_keeps_a_refusal_either()
    {
        var customer = await app.NewCustomerAsync();
        await LedgerAsync(customer.Tenant, "state = 'failed'");

        using var refused = await customer.Http.GetAsync("/invoices", Ct);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.True(refused.Headers.CacheControl?.NoStore);
        Assert.Contains("X-Customer", refused.Headers.Vary);
    }

    [Theory]
    [InlineData("suspended")]
    [InlineData("archived")]
    public async Task A_customer_that_is_suspended_or_archived_is_not_served(string status)
    {
        var customer = await app.NewCustomerAsync();
        await using (var command = app.Services.GetRequiredService<NpgsqlDataSource>()
            .CreateCommand("UPDATE public.customers SET status = $1 WHERE slug = $2"))
        {
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = status });
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = customer.Tenant.Slug });
            Assert.Equal(1, await command.ExecuteNonQueryAsync(Ct));
        }

        using var refused = await customer.Http.GetAsync("/invoices", Ct);

        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        var problem = await refused.Content.ReadFromJsonAsync<JsonNode>(Ct);
        Assert.Equal($"urn:customer:{status}", (string)problem!["type"]!);
    }

    [Fact]
    public async Task The_api_refuses_to_start_over_a_database_that_has_the_placeholders_schema()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        await using (var source = NpgsqlDataSource.Create(database))
        await using (var command = source.CreateCommand("CREATE SCHEMA \"__Tenant__\""))
        {
            await command.ExecuteNonQueryAsync(Ct);
        }

        var said = await RefusedStart.OfApiAsync(("tenants", database));

        Assert.Contains("DROP SCHEMA", said, StringComparison.Ordinal);
    }

    private static Task BeingUpgradedAsync(TestCustomer customer) =>
        RefusedAsync(customer, "upgrading", "being upgraded", atLeastSeconds: 10);

    private static async Task RefusedAsync(TestCustomer customer, string type, string detail, int atLeastSeconds)
    {
        using var refused = await customer.Http.GetAsync("/invoices", Ct);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.InRange(
            refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, atLeastSeconds, double.PositiveInfinity);
        var problem = await refused.Content.ReadFromJsonAsync<JsonNode>(Ct);
        Assert.Contains(detail, (string)problem!["detail"]!, StringComparison.Ordinal);
        Assert.Equal($"urn:customer:{type}", (string)problem["type"]!);
    }

    /// <summary>
    /// The version that a newer build leaves: this build's migrations, perhaps without some of the last, and one more.
    /// </summary>
    private async Task<string> VersionAsync(string newer, bool breaking = false, int without = 0)
    {
        string[] ids = [.. app.Services.GetRequiredService<CompiledMigrations>().Ids.SkipLast(without), newer];
        var version = CompiledMigrations.Fingerprint(ids);
        await using var record = app.Services.GetRequiredService<NpgsqlDataSource>()
            .CreateCommand("INSERT INTO tenancy.versions VALUES ($1, $2, $3) ON CONFLICT DO NOTHING");
        record.Parameters.Add(new NpgsqlParameter<string> { TypedValue = version });
        record.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = ids });
        record.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = breaking ? [newer] : [] });
        await record.ExecuteNonQueryAsync(Ct);
        return version;
    }

    private async Task LedgerAsync(Tenant tenant, string set)
    {
        await using var command = app.Services.GetRequiredService<NpgsqlDataSource>()
            .CreateCommand($"UPDATE tenancy.schemas SET {set} WHERE schema = '{tenant.Schema}'");
        Assert.Equal(1, await command.ExecuteNonQueryAsync(Ct));
    }
}

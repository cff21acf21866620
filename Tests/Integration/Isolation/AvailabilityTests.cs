using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
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

        using var refused = await broken.Http.GetAsync("/invoices", Ct);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.NotNull(refused.Headers.RetryAfter?.Delta);
        Assert.Contains("being upgraded", (string)(await refused.Content.ReadFromJsonAsync<JsonNode>(Ct))!["detail"]!, StringComparison.Ordinal);
        Assert.Empty(await other.InvoicesAsync());
    }

    [Fact]
    public async Task A_schema_behind_the_build_waits_and_one_ahead_of_it_is_served()
    {
        var behind = await app.NewCustomerAsync();
        var ahead = await app.NewCustomerAsync();
        var build = app.Services.GetRequiredService<CompiledMigrations>();
        await LedgerAsync(behind.Tenant, $"version = '{CompiledMigrations.Fingerprint([])}'");
        await LedgerAsync(ahead.Tenant, $"version = '{CompiledMigrations.Fingerprint([.. build.Ids, "99991231235959_Newer"])}'");

        using var waits = await behind.Http.GetAsync("/invoices", Ct);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, waits.StatusCode);
        Assert.Empty(await ahead.InvoicesAsync());
    }

    [Theory]
    [InlineData("suspended")]
    [InlineData("archived")]
    public async Task A_customer_that_is_suspended_or_archived_is_not_served(string status)
    {
        var customer = await app.NewCustomerAsync();
        await using (var command = app.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand("UPDATE public.customers SET status = $1 WHERE slug = $2"))
        {
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = status });
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = customer.Tenant.Slug });
            Assert.Equal(1, await command.ExecuteNonQueryAsync(Ct));
        }

        using var refused = await customer.Http.GetAsync("/invoices", Ct);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
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

        await using var api = new WebApplicationFactory<Api.Paging>().WithWebHostBuilder(host => host
            .UseEnvironment("Development").UseSetting("ConnectionStrings:tenants", database).ConfigureLogging(logging => logging.ClearProviders()));

        Assert.Contains("DROP SCHEMA", Assert.Throws<InvalidOperationException>(() => api.Server).Message, StringComparison.Ordinal);
    }

    private async Task LedgerAsync(Tenant tenant, string set)
    {
        await using var command = app.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand($"UPDATE tenancy.schemas SET {set} WHERE schema = '{tenant.Schema}'");
        Assert.Equal(1, await command.ExecuteNonQueryAsync(Ct));
    }
}

using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Api.Customers;
using Data.Customers;
using Data.Invoicing;
using Microsoft.AspNetCore.Hosting;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Testing;
using Xunit;

namespace Tests.Integration.Adoption;

/// <summary>The package for tests, with the sample's API.</summary>
public sealed class TenantApplicationTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_test_has_a_tenant_in_one_line()
    {
        await using var application = new InvoicingApplication();

        var (acme, globex) = (await application.NewTenantAsync(ct: Ct), await application.NewTenantAsync(ct: Ct));

        using var written = await acme.Client.PostAsJsonAsync("/invoices", new
        {
            contact = new { name = "Ada" }, currency = "EUR", issuedOn = "2026-01-01", dueOn = "2026-02-01",
            lines = new[] { new { description = "Tea", quantity = 1, unitPrice = 2 } },
        }, Ct);
        Assert.True(written.IsSuccessStatusCode, await written.Content.ReadAsStringAsync(Ct));
        Assert.Equal(1, (int?)(await acme.Client.GetFromJsonAsync<JsonObject>("/invoices", Ct))!["total"]);
        Assert.Equal(0, (int?)(await globex.Client.GetFromJsonAsync<JsonObject>("/invoices", Ct))!["total"]);
        await using var scope = await application.ServeAsync(acme, Ct);
        Assert.Equal("Ada", (await scope.Services.GetRequiredService<InvoicingContext>().Contacts.SingleAsync(Ct)).Name);
    }

    private sealed class InvoicingApplication() : TenantApplicationFactory<NewCustomer>("tenants")
    {
        protected override void ConfigureWebHost(IWebHostBuilder builder)
        {
            base.ConfigureWebHost(builder);
            builder.UseSetting("Authentication:OperatorKey", ApiFactory.OperatorKey);
        }

        protected override void ConfigureClient(HttpClient client)
        {
            base.ConfigureClient(client);
            client.DefaultRequestHeaders.Authorization = new("Bearer", ApiFactory.OperatorKey);
        }

        protected override async Task PrepareAsync(IServiceProvider services)
        {
            await using var scope = services.CreateAsyncScope();
            await scope.ServiceProvider.GetRequiredService<CustomersContext>().Database.MigrateAsync();
        }
    }
}

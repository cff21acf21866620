using System.Net.Http.Json;
using System.Reflection;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Components;
using Npgsql;
using Xunit;

namespace Tests.Journeys;

/// <summary>
/// Every page, in both themes, on a desk and on a phone: nothing on it hinders anybody, as far as axe can tell, nothing
/// goes wrong in the browser, nothing is wider than the window, and nothing is cut off. A page that is added has to be
/// added here.
/// </summary>
[Collection(ConsoleApp.Journeys)]
public sealed class EveryPageTests(ConsoleApp console) : IClassFixture<ConsoleApp>
{
    // At full depth both themes, and a tablet between a desk and a phone.
    public static TheoryData<int, bool> Windows => TestDepth.IsFull
        ? new() { { 1400, false }, { 390, true }, { 1400, true }, { 390, false }, { 700, false } }
        : new() { { 390, true } };

    private const string Unknown = "/nothing/here";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Windows))]
    public async Task Nothing_on_it_hinders_anybody(int width, bool dark)
    {
        var addresses = await AddressesAsync();
        Assert.Equal(Routes(), addresses.Keys.Order(StringComparer.Ordinal));
        await using var tab = await console.OpenAsync("/customers", width, dark);
        foreach (var address in addresses.Values)
        {
            await tab.GoAsync(address);
            if (address == Unknown)
            {
                // The browser's own words on the document's status.
                Assert.All(tab.TakeErrors(), error => Assert.Contains("404", error, StringComparison.Ordinal));
            }

            await tab.CheckAsync();
        }
    }

    private static IOrderedEnumerable<string> Routes() => typeof(Web.Shell.App).Assembly.GetTypes()
        .SelectMany(type => type.GetCustomAttributes<RouteAttribute>(inherit: false))
        .Select(route => route.Template).Order(StringComparer.Ordinal);

    /// <summary>An address of each page, with something on it.</summary>
    private async Task<Dictionary<string, string>> AddressesAsync()
    {
        // A name that is long, and written from right to left.
        var slug = await console.CustomerAsync(string.Concat(Enumerable.Repeat("شركة الأمل الطويلة جدا ", 5)).Trim());
        var invoice = await CreatedAsync($"/customers/{slug}/invoices", Integration.TestCustomer.Invoice(1234.5m));
        var contact = await CreatedAsync($"/customers/{slug}/contacts", new { name = "Ada Moreau" });
        var operation = await CreatedAsync($"/customers/{slug}/export", new { });
        return new()
        {
            ["/sign-in"] = "/sign-in",
            ["/error"] = "/error",
            ["/not-found"] = Unknown,
            ["/"] = "/",
            ["/customers"] = "/customers",
            ["/customers/{Slug}"] = $"/customers/{slug}",
            ["/customers/{Slug}/invoices"] = $"/customers/{slug}/invoices",
            ["/customers/{Slug}/invoices/new"] = $"/customers/{slug}/invoices/new",
            ["/customers/{Slug}/invoices/{Id:guid}"] = $"/customers/{slug}/invoices/{invoice}",
            ["/customers/{Slug}/invoices/{Id:guid}/edit"] = $"/customers/{slug}/invoices/{invoice}/edit",
            ["/customers/{Slug}/contacts"] = $"/customers/{slug}/contacts",
            ["/customers/{Slug}/contacts/new"] = $"/customers/{slug}/contacts/new",
            ["/customers/{Slug}/contacts/{Id:guid}"] = $"/customers/{slug}/contacts/{contact}",
            ["/customers/{Slug}/contacts/{Id:guid}/edit"] = $"/customers/{slug}/contacts/{contact}/edit",
            ["/customers/{Slug}/keys"] = $"/customers/{slug}/keys",
            ["/customers/{Slug}/operations"] = $"/customers/{slug}/operations",
            ["/customers/{Slug}/settings"] = $"/customers/{slug}/settings",
            ["/doctor"] = "/doctor",
            ["/migrations"] = "/migrations",
            ["/tasks"] = "/tasks",
            ["/tasks/{Name}"] = $"/tasks/{await TaskAsync(slug)}",
            ["/operations"] = "/operations",
            ["/operations/{Id:guid}"] = $"/operations/{operation}",
            ["/reports/receivables"] = "/reports/receivables",
        };
    }

    /// <summary>A task that failed on the customer.</summary>
    private async Task<string> TaskAsync(string slug)
    {
        await using var database = NpgsqlDataSource.Create(console.ConnectionString);
        await using var failed = database.CreateCommand(
            $"""
            INSERT INTO tenancy.tasks (task, schema, attempts, last_error, failed_at)
            VALUES ('2026-12-{slug}', 'customer_{slug.Replace('-', '_')}', 2,
                '23505: duplicate key value violates unique constraint "ix_contacts_name"', now())
            """);
        await failed.ExecuteNonQueryAsync(Ct);
        return $"2026-12-{slug}";
    }

    private async Task<string> CreatedAsync(string path, object body)
    {
        using var made = await console.Api.PostAsJsonAsync(path, body, Ct);
        Assert.True(made.IsSuccessStatusCode, await made.Content.ReadAsStringAsync(Ct));
        return (string)(await made.Content.ReadFromJsonAsync<JsonObject>(Ct))!["id"]!;
    }
}

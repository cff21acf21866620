using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Journeys;

/// <summary>An operator finds a customer whose migration failed, mends it, and takes a migration back.</summary>
public sealed partial class MigrationsJourney(ConsoleApp console) : IClassFixture<ConsoleApp>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_failed_customer_is_mended_and_a_migration_is_taken_back()
    {
        var slug = await console.CustomerAsync();
        var schema = $"customer_{slug.Replace('-', '_')}";
        var build = (await console.Api.GetFromJsonAsync<JsonArray>("/fleet/migrations", Ct))!
            .Select(migration => (string)migration!["id"]!).ToList();
        // It has the last migration's table already, as after a change by hand.
        await ExecuteAsync(
            $"""
            DELETE FROM {schema}."__EFMigrationsHistory" WHERE "MigrationId" = '{build[^1]}';
            UPDATE tenancy.schemas SET version = '{CompiledMigrations.Fingerprint(build[..^1])}' WHERE schema = '{schema}'
            """);
        await using var tab = await console.OpenAsync("/migrations");
        var page = tab.Page;
        var live = page.GetByRole(AriaRole.Region, new() { NameRegex = new("In progress|Just ended") });

        await page.GetByRole(AriaRole.Button, new() { Name = "Migrate…" }).ClickAsync();
        await page.GetByLabel("Customers (optional)").FillAsync(slug);
        await Assertions.Expect(page.GetByText("Of the 1 customer that you named")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Migrate", Exact = true }).ClickAsync();
        var failed = page.GetByRole(AriaRole.Row, new() { NameRegex = new(slug) });
        await Assertions.Expect(failed).ToContainTextAsync("42P07");
        await tab.CheckAsync();

        // The overview has the same row.
        await tab.GoAsync("/");
        await ExecuteAsync($"DROP TABLE {schema}.idempotency_keys");
        await page.GetByRole(AriaRole.Button, new() { Name = $"Retry {slug}" }).ClickAsync();
        await Assertions.Expect(live).ToContainTextAsync("1 customer done, 0 failed.");
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = $"Retry {slug}" })).ToHaveCountAsync(0);

        await tab.GoAsync("/migrations");
        await page.GetByRole(AriaRole.Button, new() { Name = $"Take back {build[^1]}" }).ClickAsync();
        await page.GetByLabel("Customers (optional)").FillAsync(slug);
        await page.GetByLabel($"Enter {build[^1]} to confirm").FillAsync(build[^1]);
        await page.GetByRole(AriaRole.Button, new() { Name = "Take back", Exact = true }).ClickAsync();
        await Assertions.Expect(live).ToContainTextAsync("1 customer done, 0 failed.");

        // Who gets its address sees the same.
        await live.GetByRole(AriaRole.Link, new() { Name = "Details" }).First.ClickAsync();
        await page.WaitForURLAsync(Operation());
        await page.ReloadAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Migrations taken back" }))
            .ToBeVisibleAsync();
        await tab.CheckAsync();
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var database = NpgsqlDataSource.Create(console.ConnectionString);
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Ct);
    }

    [GeneratedRegex("/operations/[0-9a-f-]{36}$")]
    private static partial Regex Operation();
}

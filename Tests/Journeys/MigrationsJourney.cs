using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Npgsql;
using Tenancy;
using Tests.Integration;
using Xunit;

namespace Tests.Journeys;

/// <summary>An operator steers the migrations: runs, what failed, and what differs from them.</summary>
/// <remarks>
/// Halting ends every run, so all journeys with runs stand here: tests of a class wait for each other.
/// </remarks>
[Collection(ConsoleApp.Journeys)]
public sealed partial class MigrationsJourney(ConsoleApp console) : IClassFixture<ConsoleApp>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_failed_customer_is_mended_and_a_migration_is_taken_back()
    {
        var slug = await console.CustomerAsync();
        var build = await BuildAsync();
        // It has what the last migration makes already, as after a change by hand.
        await ForgetLastAsync(slug, build);
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
        await ExecuteAsync($"DROP TABLE {Schema(slug)}.settings");
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
        await Assertions.Expect(page).ToHaveURLAsync(Operation());
        await page.ReloadAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Migrations taken back" }))
            .ToBeVisibleAsync();
        await tab.CheckAsync();
    }

    [Fact]
    public async Task A_run_is_halted_with_a_reason()
    {
        var slug = await console.CustomerAsync();
        await ForgetLastAsync(slug, await BuildAsync());
        // The row is held, so the run can't end by itself.
        await using var database = NpgsqlDataSource.Create(console.ConnectionString);
        await using var holder = await database.OpenConnectionAsync(Ct);
        await using var holding = await holder.BeginTransactionAsync(Ct);
        await using (var hold = new NpgsqlCommand(
            $"SELECT 1 FROM tenancy.schemas WHERE schema = '{Schema(slug)}' FOR UPDATE", holder))
        {
            await hold.ExecuteScalarAsync(Ct);
        }

        await using var tab = await console.OpenAsync("/migrations");
        var page = tab.Page;
        await page.GetByRole(AriaRole.Button, new() { Name = "Migrate…" }).ClickAsync();
        await page.GetByLabel("Customers (optional)").FillAsync(slug);
        await page.GetByRole(AriaRole.Button, new() { Name = "Migrate", Exact = true }).ClickAsync();
        var live = page.GetByRole(AriaRole.Region, new() { NameRegex = new("In progress|Just ended") });
        await Assertions.Expect(live).ToContainTextAsync("0 of 1 done.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Halt all runs" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog, new() { Name = "Halt all runs" });
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Halt", Exact = true }).ClickAsync();
        await Assertions.Expect(dialog.GetByLabel("Reason")).ToHaveAttributeAsync("aria-invalid", "true");
        await dialog.GetByLabel("Reason").FillAsync("The deployment waits");
        await tab.CheckAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Halt", Exact = true }).ClickAsync();

        await Assertions.Expect(page.GetByText("1 run will stop after the current batch.")).ToBeVisibleAsync();
        await Assertions.Expect(live).ToContainTextAsync("The run was halted: The deployment waits");
        await Assertions.Expect(page.GetByRole(AriaRole.Table, new() { Name = "Last runs" })
            .GetByRole(AriaRole.Row).Filter(new() { HasText = "The deployment waits" })).ToContainTextAsync("Halted");
        await tab.CheckAsync();
    }

    [Fact]
    public async Task What_differs_from_the_migrations_is_told_in_words()
    {
        var slug = await console.CustomerAsync();
        await ExecuteAsync($"ALTER TABLE {Schema(slug)}.invoices ADD COLUMN by_hand integer");
        await using var tab = await console.OpenAsync("/migrations");
        var page = tab.Page;

        await page.GetByRole(AriaRole.Button, new() { Name = "Compare now" }).ClickAsync();
        var differs = page.GetByRole(AriaRole.List, new() { Name = "Differences" })
            .GetByRole(AriaRole.Listitem).Filter(new() { HasText = slug }).First;
        await Assertions.Expect(differs).ToContainTextAsync("column invoices.by_hand");
        await tab.CheckAsync();

        await differs.GetByRole(AriaRole.Link, new() { Name = slug }).ClickAsync();
        await page.ToBeAtAsync($"**/customers/{slug}");
        await ExecuteAsync($"ALTER TABLE {Schema(slug)}.invoices DROP COLUMN by_hand");
    }

    [Fact]
    public async Task Customers_that_failed_are_selected_and_tried_again_together()
    {
        var (mark, build) = (App.NewSlug(), await BuildAsync());
        var (first, second) = (await console.CustomerAsync($"{mark} one"), await console.CustomerAsync($"{mark} two"));
        foreach (var slug in new[] { first, second })
        {
            await ForgetLastAsync(slug, build);
            await ExecuteAsync($"UPDATE tenancy.schemas SET state = 'failed', last_error = 'spoilt' " +
                $"WHERE schema = '{Schema(slug)}'; DROP TABLE {Schema(slug)}.settings");
        }

        await using var tab = await console.OpenAsync($"/customers?search={mark}");
        var page = tab.Page;
        await page.GetByRole(AriaRole.Link, new() { Name = "Failed 2" }).ClickAsync();
        await page.GetByLabel("Select all customers on this page").CheckAsync();
        var selected = page.GetByRole(AriaRole.Region, new() { Name = "Selected customers" });
        await Assertions.Expect(selected).ToContainTextAsync("2 selected");
        await tab.CheckAsync();
        await selected.GetByRole(AriaRole.Button, new() { Name = "Retry migration" }).ClickAsync();

        await Assertions.Expect(page.GetByText("2 customers done, 0 failed.")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Link, new() { Name = "Failed 0" })).ToBeVisibleAsync();
        await tab.CheckAsync();
    }

    private static string Schema(string slug) => $"customer_{slug.Replace('-', '_')}";

    private async Task<List<string>> BuildAsync() =>
        [.. (await console.Api.GetFromJsonAsync<JsonArray>("/fleet/migrations", Ct))!
            .Select(migration => (string)migration!["id"]!)];

    /// <summary>The customer lacks the build's last migration, as far as the ledger and the history know.</summary>
    private Task ForgetLastAsync(string slug, List<string> build) => ExecuteAsync(
        $"""
        DELETE FROM {Schema(slug)}."__EFMigrationsHistory" WHERE "MigrationId" = '{build[^1]}';
        UPDATE tenancy.schemas SET version = '{CompiledMigrations.Fingerprint(build[..^1])}'
        WHERE schema = '{Schema(slug)}'
        """);

    private async Task ExecuteAsync(string sql)
    {
        await using var database = NpgsqlDataSource.Create(console.ConnectionString);
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Ct);
    }

    [GeneratedRegex("/operations/[0-9a-f-]{36}$")]
    private static partial Regex Operation();
}

using Microsoft.Playwright;
using Npgsql;
using Xunit;

namespace Tests.Journeys;

/// <summary>An operator is warned of a schema that nobody has, removes it, and sees that all is well.</summary>
[Collection(ConsoleApp.Journeys)]
public sealed class DoctorJourney(ConsoleApp console) : IClassFixture<ConsoleApp>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1400, false)]
    [InlineData(390, true)]
    public async Task A_schema_without_a_customer_is_found_and_gone_after_its_removal(int width, bool dark)
    {
        await console.CustomerAsync();
        var schema = $"left_behind_{width}";
        await ExecuteAsync($"""CREATE SCHEMA {schema}; CREATE TABLE {schema}."__EFMigrationsHistory" (x int)""");
        await using var tab = await console.OpenAsync("/doctor", width, dark);
        var page = tab.Page;
        var over = page.GetByRole(AriaRole.Region, new() { Name = "Over the limit" });
        var examine = page.GetByRole(AriaRole.Button, new() { Name = "Examine now" });

        await examine.ClickAsync();
        await Assertions.Expect(over).ToContainTextAsync("Schemas without a tenant");
        await Assertions.Expect(over).ToContainTextAsync(schema);
        await Assertions.Expect(over).ToContainTextAsync("Find out whose they are.");
        await tab.CheckAsync();

        await tab.GoAsync("/");
        await Assertions.Expect(over).ToContainTextAsync("Schemas without a tenant");
        await tab.CheckAsync();
        await over.GetByRole(AriaRole.Link, new() { Name = "Schemas without a tenant" }).ClickAsync();
        await Assertions.Expect(page.Locator("#orphan-schemas")).ToBeFocusedAsync();
        await ExecuteAsync($"DROP SCHEMA {schema} CASCADE");
        await Assertions.Expect(page.GetByText(schema, new() { Exact = true })).ToBeVisibleAsync();
        await examine.ClickAsync();
        await Assertions.Expect(page.GetByText(schema, new() { Exact = true })).ToHaveCountAsync(0);
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var database = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(console.ConnectionString) { Pooling = false }.ConnectionString);
        await database.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(sql, database);
        await command.ExecuteNonQueryAsync(Ct);
    }
}

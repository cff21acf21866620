using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Journeys;

/// <summary>
/// The console with 10,000 customers and 5,000 invoices of one of them: pictures at two widths and in both themes, and
/// how long pages take. Not a test: it runs only when it is asked for, see CONTRIBUTING.md.
/// </summary>
[Collection(ConsoleApp.Journeys)]
public sealed class ConsoleAtScale(ConsoleApp console) : IClassFixture<ConsoleApp>
{
    private const int Customers = 10_000;
    private const int Invoices = 5_000;
    private const int Times = 5;

    private const string Long = "Allgemeine Versicherungs- und Rückversicherungsgesellschaft für das Handwerk und den " +
        "Mittelstand in Süddeutschland, Österreich und der Schweiz";

    private const string RightToLeft = "شركة المراعي للتجارة والمقاولات العامة ذات المسؤولية المحدودة وأبنائه " +
        "للتجارة الدولية والخدمات اللوجستية والنقل البري";

    private static readonly string Folder = Directory.CreateDirectory(
        Path.Combine(Path.GetTempPath(), "console-at-scale")).FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact(Explicit = true)]
    public async Task Look()
    {
        var acme = await console.CustomerAsync(Long);
        await InvoicesAsync(acme);
        await CustomersAsync(acme);
        var invoice = (await console.Api.GetFromJsonAsync<JsonObject>($"/customers/{acme}/invoices?pageSize=1", Ct))!;
        await TimesAsync(acme);
        (string Name, string Path)[] pages =
        [
            ("overview", "/"), ("customers", "/customers"), ("customers-failed", "/customers?condition=failed"),
            ("customers-last", $"/customers?page={Customers / 25}"), ("migrations", "/migrations"), ("tasks", "/tasks"),
            ("operations", "/operations"), ("receivables", "/reports/receivables"), ("customer", $"/customers/{acme}"),
            ("right-to-left", "/customers/many-00002"), ("settings", $"/customers/{acme}/settings"),
            ("invoices", $"/customers/{acme}/invoices"), ("invoices-page", $"/customers/{acme}/invoices?page=100"),
            ("invoice", $"/customers/{acme}/invoices/{(string?)invoice["items"]![0]!["id"]}"),
            ("new-invoice", $"/customers/{acme}/invoices/new"), ("contacts", $"/customers/{acme}/contacts"),
            ("keys", $"/customers/{acme}/keys"), ("customer-operations", $"/customers/{acme}/operations"),
        ];
        foreach (var (width, dark) in new[] { (1400, false), (390, false), (1400, true), (390, true) })
        {
            await using var tab = await console.OpenAsync("/customers", width, dark);
            foreach (var (name, path) in pages)
            {
                await tab.GoAsync(path);
                await DrawnAsync(tab.Page);
                await tab.Page.WaitForTimeoutAsync(500);
                await tab.Page.ScreenshotAsync(new()
                {
                    Path = Path.Combine(Folder, $"{name}-{width}{(dark ? "-dark" : "")}.png"), FullPage = width == 390,
                });
            }
        }
    }

    private static Task DrawnAsync(IPage page) => Assertions
        .Expect(page.Locator("[aria-busy=true]:not([role=progressbar]), .skeleton, .rows-skeleton"))
        .ToHaveCountAsync(0, new() { Timeout = 120_000 });

    private async Task TimesAsync(string acme)
    {
        var told = new StringBuilder();
        foreach (var path in new[]
        {
            "/customers?page=1&pageSize=25", "/customers?page=400&pageSize=25", "/customers?sort=-size&page=1&pageSize=25",
            "/customers?search=0042&page=1&pageSize=25", "/customer-counts?search=", "/fleet?failures=50", "/fleet",
            $"/customers/{acme}/invoices?page=1&pageSize=25", $"/customers/{acme}/invoices/overview",
        })
        {
            await TellAsync($"API {path}", async () => await console.Api.GetStringAsync(path, Ct));
        }

        await using var tab = await console.OpenAsync("/customers");
        foreach (var path in new[] { "/customers", "/customers?page=400", "/customers?sort=-size", "/", "/migrations",
            $"/customers/{acme}/invoices" })
        {
            await TellAsync($"page {path}", async () =>
            {
                await tab.GoAsync(path);
                await DrawnAsync(tab.Page);
            });
        }

        await File.WriteAllTextAsync(Path.Combine(Folder, "times.txt"), told.ToString(), Ct);

        async Task TellAsync(string what, Func<Task> act)
        {
            await act();
            var times = new List<double>();
            for (var time = 0; time < Times; time++)
            {
                var began = Stopwatch.GetTimestamp();
                await act();
                times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            }

            told.AppendLine(CultureInfo.InvariantCulture, $"{what}: median {times.Order().ElementAt(Times / 2):0} ms");
        }
    }

    private async Task InvoicesAsync(string acme)
    {
        var today = DateOnly.FromDateTime(DateTime.UtcNow);
        var rows = new StringBuilder("invoice,contact,currency,issued_on,due_on,description,quantity,unit_price\n");
        for (var number = 1; number <= Invoices; number++)
        {
            var contact = (number % 7) switch { 0 => RightToLeft, 1 => Long, var one => $"Contact {one} of {number % 90}" };
            var currency = (number % 5) switch { 0 => "KWD", 1 => "JPY", _ => "EUR" };
            rows.Append(CultureInfo.InvariantCulture, $"A-{number},\"{contact}\",{currency},").Append(
                CultureInfo.InvariantCulture,
                $"{today.AddDays(-number % 300):O},{today.AddDays(40 - number % 280):O},Work,{number % 9 + 1},{number}\n");
        }

        using var csv = new StringContent(rows.ToString(), Encoding.UTF8, "text/csv");
        using var imported = await console.Api.PostAsync($"/customers/{acme}/invoices/import", csv, Ct);
        Assert.True(imported.IsSuccessStatusCode, await imported.Content.ReadAsStringAsync(Ct));
    }

    /// <summary>
    /// By SQL, because provisioning is another benchmark's. Each has a schema with two tables, for the sizes; each 50th
    /// has failed, and each 20th is behind.
    /// </summary>
    private async Task CustomersAsync(string like)
    {
        var build = (await console.Api.GetFromJsonAsync<JsonArray>("/fleet/migrations", Ct))!
            .Select(migration => (string)migration!["id"]!).ToList();
        var old = CompiledMigrations.Fingerprint(build[..^1]);
        await using var database = NpgsqlDataSource.Create(console.ConnectionString + ";Command Timeout=600");
        await ExecuteAsync(
            $"""
            INSERT INTO tenancy.versions (version, migrations, breaking)
            VALUES ('{old}', ARRAY[{string.Join(", ", build[..^1].Select(id => $"'{id}'"))}], ARRAY[]::text[])
            ON CONFLICT DO NOTHING;
            INSERT INTO public.customers (id, slug, name, schema, status, ring, created_at)
            SELECT gen_random_uuid(), 'many-' || lpad(n::text, 5, '0'),
                CASE n % 10 WHEN 2 THEN '{RightToLeft}' WHEN 3 THEN '{Long}' ELSE 'Customer number ' || n END,
                'customer_many_' || lpad(n::text, 5, '0'), CASE n % 33 WHEN 0 THEN 'suspended' ELSE 'active' END,
                CASE n % 100 WHEN 1 THEN 0 ELSE 1 END, now() - n * interval '1 hour'
            FROM generate_series(1, {Customers}) AS n;
            INSERT INTO tenancy.schemas (schema, state, version, ring, migrated_at, attempts, last_error, failed_at)
            SELECT 'customer_many_' || lpad(n::text, 5, '0'), CASE n % 50 WHEN 0 THEN 'failed' ELSE 'ready' END,
                CASE WHEN n % 20 = 0 OR n % 50 = 0 THEN '{old}' ELSE like_this.version END,
                CASE n % 100 WHEN 1 THEN 0 ELSE 1 END, now() - n * interval '1 minute', 0,
                CASE n % 50 WHEN 0 THEN '42P07: relation "settings" already exists' END,
                CASE n % 50 WHEN 0 THEN now() END
            FROM generate_series(1, {Customers}) AS n,
                (SELECT version FROM tenancy.schemas WHERE schema = 'customer_{like.Replace('-', '_')}') AS like_this
            """);
        for (var from = 1; from <= Customers; from += 200)
        {
            await ExecuteAsync(
                $"""
                DO $$ BEGIN FOR n IN {from}..{from + 199} LOOP
                    EXECUTE format('CREATE SCHEMA %1$I CREATE TABLE a (id uuid PRIMARY KEY, words text) ' ||
                        'CREATE TABLE b (id uuid PRIMARY KEY, words text)', 'customer_many_' || lpad(n::text, 5, '0'));
                END LOOP; END $$
                """);
        }

        await ExecuteAsync("ANALYZE");

        async Task ExecuteAsync(string sql)
        {
            await using var command = database.CreateCommand(sql);
            await command.ExecuteNonQueryAsync(Ct);
        }
    }
}

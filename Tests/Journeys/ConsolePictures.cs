using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Playwright;
using Npgsql;
using Xunit;

namespace Tests.Journeys;

/// <summary>
/// Makes the console's pictures in docs/images, light and dark. Not a test: it runs only when it is asked for, see
/// CONTRIBUTING.md.
/// </summary>
[Collection(ConsoleApp.Journeys)]
public sealed class ConsolePictures(ConsoleApp console) : IClassFixture<ConsoleApp>
{
    private static readonly (string Slug, string Name, int Invoices)[] Customers =
    [
        ("acme", "Acme Corporation", 120), ("bluebird", "Bluebird Logistics", 34),
        ("cyberdyne", "Cyberdyne Systems", 80),
        ("duff", "Duff Breweries", 8), ("globex", "Globex", 60), ("hooli", "Hooli", 41), ("initech", "Initech", 15),
        ("muller-sohne", "Müller & Söhne GmbH", 26), ("oscorp", "Oscorp Industries", 3), ("soylent", "Soylent", 19),
        ("stark", "Stark Manufacturing", 52), ("tyrell", "Tyrell", 0), ("umbrella", "Umbrella", 12),
        ("wayne", "Wayne Enterprises", 70), ("wonka", "Wonka Sweets", 22),
    ];

    private static readonly string[] Contacts =
        ["Ada Moreau", "Jonas Weber", "Priya Nair", "Sofia Rossi", "Liam Byrne"];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact(Explicit = true)]
    public async Task Make()
    {
        await FillAsync();
        var invoice = await InvoiceAsync("acme");
        (string Name, string Path)[] pages =
        [
            ("console-overview", "/"), ("console-customers", "/customers"), ("console-customer", "/customers/acme"),
            ("console-settings", "/customers/acme/settings"), ("console-invoices", "/customers/acme/invoices"),
            ("console-invoice", $"/customers/acme/invoices/{invoice}"),
            ("console-contacts", "/customers/acme/contacts"),
            ("console-migrations", "/migrations"), ("console-operations", "/operations"),
            ("console-receivables", "/reports/receivables"), ("console-tasks", "/tasks"),
            ("console-doctor", "/doctor"),
        ];
        await using var findings = await DoctorFindings.MakeAsync(console);
        await console.Api.GetStringAsync("/doctor?fresh=true", Ct);
        foreach (var dark in new[] { false, true })
        {
            await using (var signIn = await console.OpenSignedOutAsync("/sign-in", 1280, dark))
            {
                await ShootAsync(signIn, "console-sign-in", dark);
            }

            foreach (var (name, path) in pages)
            {
                await using var tab = await console.OpenAsync(path, 1280, dark);
                await ShootAsync(tab, name, dark);
            }
        }
    }

    private async Task FillAsync()
    {
        var numbers = new Random(1);
        foreach (var (slug, name, invoices) in Customers)
        {
            using var made = await console.Api.PostAsJsonAsync("/customers", new { slug, name }, Ct);
            Assert.Equal(HttpStatusCode.Created, made.StatusCode);
            if (invoices > 0)
            {
                using var csv = new StringContent(Csv(invoices, numbers), Encoding.UTF8, "text/csv");
                using var imported = await console.Api.PostAsync($"/customers/{slug}/invoices/import", csv, Ct);
                Assert.True(imported.IsSuccessStatusCode, await imported.Content.ReadAsStringAsync(Ct));
            }
        }

        foreach (var (slug, verb) in new[] { ("oscorp", "suspend"), ("duff", "archive") })
        {
            using var done = await console.Api.PostAsync($"/customers/{slug}/{verb}", null, Ct);
            Assert.True(done.IsSuccessStatusCode, await done.Content.ReadAsStringAsync(Ct));
        }

        foreach (var (address, body) in new (string, object)[]
        {
            ("/customers/acme/export", new { }),
            ("/customers/globex/clone", new { slug = "globex-sandbox", name = "Globex (sandbox)" }),
            ("/fleet/verify", new { }),
        })
        {
            using var begun = await console.Api.PostAsJsonAsync(address, body, Ct);
            Assert.True(begun.IsSuccessStatusCode, await begun.Content.ReadAsStringAsync(Ct));
        }

        // One whose tables were altered by hand, so that its migration fails.
        await using var database = NpgsqlDataSource.Create(console.ConnectionString);
        await using var spoil = database.CreateCommand(
            $"""
            UPDATE tenancy.schemas SET ring = 0 WHERE schema IN ('customer_stark', 'customer_globex_sandbox');
            UPDATE tenancy.schemas SET ring = 2
            WHERE schema IN ('customer_acme', 'customer_cyberdyne', 'customer_wayne');
            DELETE FROM customer_tyrell."__EFMigrationsHistory";
            UPDATE tenancy.schemas SET version = '{Tenancy.CompiledMigrations.Fingerprint([])}'
            WHERE schema = 'customer_tyrell';
            INSERT INTO tenancy.tasks (task, schema, attempts, done_at)
            SELECT '2026-11-name-buyers', schema, 1, now() FROM public.customers;
            INSERT INTO tenancy.tasks (task, schema, attempts, done_at)
            SELECT '2026-12-trim-names', schema, 1, now() FROM public.customers WHERE slug < 'stark';
            INSERT INTO tenancy.tasks (task, schema, attempts, last_error, failed_at)
            VALUES ('2026-12-trim-names', 'customer_stark', 2,
                '23505: duplicate key value violates unique constraint "ix_contacts_name"', now())
            """);
        await spoil.ExecuteNonQueryAsync(Ct);
        // Sizes are what PostgreSQL has measured.
        await using var measure = database.CreateCommand("ANALYZE");
        await measure.ExecuteNonQueryAsync(Ct);
        using var run = await console.Api.PostAsJsonAsync("/fleet/migrate", new { }, Ct);
        Assert.True(run.IsSuccessStatusCode, await run.Content.ReadAsStringAsync(Ct));
        // Whose machine it was is nobody's business.
        await using var asked = database.CreateCommand("UPDATE tenancy.runs SET asked_by = 'tenants@api'");
        await Eventually.HoldsAsync(async () =>
            !(await console.Api.GetStringAsync("/operations?state=running", Ct) +
                await console.Api.GetStringAsync("/operations?state=queued", Ct))
                .Contains("\"id\"", StringComparison.Ordinal));
        await asked.ExecuteNonQueryAsync(Ct);
    }

    private static string Csv(int invoices, Random numbers)
    {
        var rows = new StringBuilder(
            "invoice,contact,email,currency,issued_on,due_on,paid_on,description,quantity,unit_price\n");
        for (var number = 1; number <= invoices; number++)
        {
            var contact = Contacts[numbers.Next(Contacts.Length)];
            var currency = numbers.Next(6) switch { 0 => "CHF", 1 => "USD", _ => "EUR" };
            var issued = DateOnly.FromDateTime(DateTime.UtcNow).AddDays(-numbers.Next(150));
            var due = issued.AddDays(30);
            var paid = numbers.Next(3) > 0 && issued < DateOnly.FromDateTime(DateTime.UtcNow).AddDays(-20)
                ? issued.AddDays(18).ToString("O", CultureInfo.InvariantCulture)
                : "";
            for (var line = 0; line <= numbers.Next(3); line++)
            {
                rows.Append(CultureInfo.InvariantCulture,
                    $"A-{number},{contact},{contact.Split(' ')[0].ToLowerInvariant()}@example.com,{currency},").Append(
                    CultureInfo.InvariantCulture,
                    $"{issued:O},{due:O},{paid},{(line == 0 ? "Consulting" : "Travel")},{numbers.Next(1, 12)},").Append(
                    CultureInfo.InvariantCulture, $"{numbers.Next(40, 900)}.{numbers.Next(10, 99)}\n");
            }
        }

        return rows.ToString();
    }

    private async Task<string> InvoiceAsync(string slug)
    {
        var list = await console.Api.GetFromJsonAsync<System.Text.Json.Nodes.JsonObject>(
            $"/customers/{slug}/invoices?pageSize=1", Ct);
        return (string)list!["items"]![0]!["id"]!;
    }

    private static async Task ShootAsync(Tab tab, string name, bool dark)
    {
        await Assertions.Expect(tab.Page.Locator("[aria-busy=true]")).ToHaveCountAsync(0);
        // Animations.
        await tab.Page.WaitForTimeoutAsync(700);
        await tab.Page.ScreenshotAsync(new()
        {
            Path = Path.Combine(Folder(), $"{name}{(dark ? "-dark" : "")}.png"),
        });
    }

    private static string Folder([CallerFilePath] string thisFile = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "..", "..", "docs", "images"));
}

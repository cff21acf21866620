using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Api.Reports;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tests.Integration.Invoicing;
using Xunit;

namespace Tests.Integration.Reports;

public sealed class ReceivablesTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Unpaid_invoices_are_summed_by_currency_and_what_was_due_before_today_is_overdue()
    {
        var acme = await app.NewCustomerAsync();
        await acme.ImportedAsync(CsvFiles.Of(
            CsvFiles.Row("1", price: "10", due: "2026-11-30"), CsvFiles.Row("1", price: "5", due: "2026-11-30"),
            CsvFiles.Row("2", price: "100", due: "2026-12-01"),
            CsvFiles.Row("3", price: "1000", paid: "2026-11-24"),
            CsvFiles.Row("4", currency: "JPY", price: "7", due: "2026-12-02"),
            CsvFiles.Row("5", currency: "USD", price: "9", paid: "2026-11-24")));

        await using var db = app.Invoicing.Create(acme.Tenant);

        Assert.Equal(
            [new("EUR", 2, 2, 115m, 15m), new("JPY", 0, 1, 7m, 0m)],
            (await ReceivablesEndpoint.Of(db, new DateOnly(2026, 12, 1)).ToListAsync(Ct)).OrderBy(row => row.Currency));
    }

    [Fact]
    public async Task Operators_see_what_is_owed_to_each_customer_and_whom_the_report_is_missing()
    {
        var (acme, paid, broken) = (
            await app.NewCustomerAsync(), await app.NewCustomerAsync(), await app.NewCustomerAsync());
        await acme.ImportedAsync(
            CsvFiles.Of(CsvFiles.Row("1", price: "10", due: "2020-01-31", issued: "2020-01-01"),
                CsvFiles.Row("2", price: "5", due: "2999-01-01")));
        await using (var rename = app.Services.GetRequiredService<NpgsqlDataSource>()
            .CreateCommand($"ALTER TABLE {broken.Tenant.Schema.Qualify("invoices")} RENAME COLUMN paid_on TO paid"))
        {
            await rename.ExecuteNonQueryAsync(Ct);
        }

        using var client = app.Client();
        var report = (await client.GetFromJsonAsync<JsonNode>("/reports/receivables", Ct))!;

        var owed = Assert.Single(
            report["balances"]!.AsArray(), balance => (string)balance!["slug"]! == acme.Tenant.Slug)!;
        Assert.Equal(("EUR", 2, 15m, 10m),
            ((string)owed["currency"]!, (int)owed["openInvoices"]!, (decimal)owed["open"]!, (decimal)owed["overdue"]!));
        Assert.DoesNotContain(report["balances"]!.AsArray(), balance => (string)balance!["slug"]! == paid.Tenant.Slug);
        var missing = Assert.Single(
            report["missing"]!.AsArray(), customer => (string)customer!["slug"]! == broken.Tenant.Slug)!;
        Assert.StartsWith("42703: ", (string)missing["reason"]!, StringComparison.Ordinal);
        Assert.True((int)report["read"]! >= 2);
    }
}

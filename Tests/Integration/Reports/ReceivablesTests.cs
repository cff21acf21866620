using Api.Reports;
using Microsoft.EntityFrameworkCore;
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
            CsvFiles.Row("1", price: "10", due: "2026-11-30"), CsvFiles.Row("1", price: "5", due: "2026-11-30"), CsvFiles.Row("2", price: "100", due: "2026-12-01"),
            CsvFiles.Row("3", price: "1000", paid: "2026-11-24"), CsvFiles.Row("4", currency: "JPY", price: "7", due: "2026-12-02"), CsvFiles.Row("5", currency: "USD", price: "9", paid: "2026-11-24")));

        await using var db = app.Invoicing.Create(acme.Tenant);

        Assert.Equal(
            [new("EUR", 2, 2, 115m, 15m), new("JPY", 0, 1, 7m, 0m)],
            (await ReceivablesEndpoint.Of(db, new DateOnly(2026, 12, 1)).ToListAsync(Ct)).OrderBy(row => row.Currency));
    }
}

using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace Tests.Integration.Invoicing;

public sealed class InvoicesOverviewTests(App app)
{
    // Read once: it may be midnight between two rows.
    private readonly DateTime _today = DateTime.UtcNow;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Invoices_are_counted_by_status_and_unpaid_ones_summed_by_currency_and_age()
    {
        var acme = await app.NewCustomerAsync();
        await acme.ImportedAsync(CsvFiles.Of(
            Row("1", 1, dueIn: 0), Row("2", 2, dueIn: 5), Row("3", 4, dueIn: -1), Row("4", 8, dueIn: -30),
            Row("5", 16, dueIn: -31), Row("6", 32, dueIn: -60), Row("7", 64, dueIn: -61),
            Row("8", 7, dueIn: -61, currency: "JPY"), Row("9", 1000, dueIn: -9, paid: true)));

        var overview = (await acme.Http.GetFromJsonAsync<JsonObject>("/invoices/overview", Ct))!;

        Assert.Equal(Day(0), (string)overview["today"]!);
        Assert.Equal("""{"open":2,"overdue":6,"paid":1}""", overview["counts"]!.ToJsonString());
        Assert.Equal(
            [
                """["EUR",2,7,127,3,12,48,64]""", """["JPY",0,1,7,0,0,0,7]""",
            ],
            overview["balances"]!.AsArray().Select(one => Normal(one!.AsObject())));
    }

    [Fact]
    public async Task A_customer_without_invoices_has_an_overview_of_zeros()
    {
        var acme = await app.NewCustomerAsync();

        var overview = (await acme.Http.GetFromJsonAsync<JsonObject>("/invoices/overview", Ct))!;

        Assert.Equal("""{"open":0,"overdue":0,"paid":0}""", overview["counts"]!.ToJsonString());
        Assert.Empty(overview["balances"]!.AsArray());
    }

    private string Row(string invoice, int price, int dueIn, string currency = "EUR", bool paid = false) =>
        CsvFiles.Row(invoice, currency: currency, issued: Day(-100), due: Day(dueIn), paid: paid ? Day(-10) : "",
            quantity: "1", price: price.ToString(CultureInfo.InvariantCulture));

    private string Day(int fromToday) =>
        _today.AddDays(fromToday).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <summary>The values alone, amounts without the zeros that PostgreSQL keeps.</summary>
    private static string Normal(JsonObject balance) => new JsonArray([.. balance.Select(member =>
        member.Value!.GetValueKind() is System.Text.Json.JsonValueKind.Number
            ? JsonValue.Create(decimal.ToInt32(member.Value.GetValue<decimal>()))
            : member.Value.DeepClone())]).ToJsonString();
}

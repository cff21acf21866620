using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace Tests.Integration.Invoicing;

/// <summary>What a customer has chosen for itself.</summary>
public sealed class SettingsTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_default_currency_is_chosen_changed_and_taken_away_by_one_customer_alone()
    {
        var (acme, globex) = (await app.NewCustomerAsync(), await app.NewCustomerAsync());
        Assert.Null(await CurrencyAsync(acme));

        foreach (var currency in new[] { "JPY", "EUR", null })
        {
            using var written = await acme.Http.PutAsJsonAsync("/settings", new { currency }, Ct);
            Assert.Equal(HttpStatusCode.OK, written.StatusCode);
            Assert.Equal(currency, (string?)(await written.Content.ReadFromJsonAsync<JsonObject>(Ct))!["currency"]);
            Assert.Equal(currency, await CurrencyAsync(acme));
            Assert.Null(await CurrencyAsync(globex));
        }
    }

    [Theory]
    [InlineData("XXX", "There is no currency 'XXX' here.")]
    [InlineData("eur", "Use a currency's three letters, e.g. EUR.")]
    [InlineData("EURO", "Use a currency's three letters, e.g. EUR.")]
    public async Task A_currency_that_there_is_not_is_refused_and_the_old_one_stays(string currency, string words)
    {
        var acme = await app.NewCustomerAsync();
        (await acme.Http.PutAsJsonAsync("/settings", new { currency = "CHF" }, Ct)).Dispose();

        using var refused = await acme.Http.PutAsJsonAsync("/settings", new { currency }, Ct);

        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        var problem = (await refused.Content.ReadFromJsonAsync<JsonObject>(Ct))!;
        Assert.Equal(words, (string)problem["errors"]!["currency"]![0]!);
        Assert.Equal("CHF", await CurrencyAsync(acme));
    }

    private static async Task<string?> CurrencyAsync(TestCustomer customer) =>
        (string?)(await customer.Http.GetFromJsonAsync<JsonObject>("/settings", Ct))!["currency"];
}

using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Tests.Integration.Invoicing;

/// <summary>CSV files, and the way they take.</summary>
internal static class CsvFiles
{
    public const string Header =
        "invoice,contact,email,currency,issued_on,due_on,paid_on,description,quantity,unit_price";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static string Of(params string[] rows) => string.Join('\n', [Header, .. rows]);

    /// <summary>A good row; its parts may be made bad.</summary>
    public static string Row(
        string invoice = "A-1", string contact = "Ada Moreau", string email = "", string currency = "EUR",
        string issued = "2026-11-23", string due = "2026-12-23",
        string paid = "", string description = "Work", string quantity = "1", string price = "10") =>
        string.Join(',', invoice, contact, email, currency, issued, due, paid, description, quantity, price);

    public static Task<HttpResponseMessage> ImportAsync(this TestCustomer customer, string csv) =>
        customer.ImportAsync(Encoding.UTF8.GetBytes(csv));

    public static Task<HttpResponseMessage> ImportAsync(this TestCustomer customer, byte[] csv) =>
        customer.Http.PostAsync("/invoices/import",
            new ByteArrayContent(csv) { Headers = { ContentType = new MediaTypeHeaderValue("text/csv") } }, Ct);

    /// <summary>What the API answers to a good file.</summary>
    public static async Task<JsonNode> ImportedAsync(this TestCustomer customer, string csv)
    {
        using var response = await customer.ImportAsync(csv);
        Assert.True(response.StatusCode == HttpStatusCode.OK, await response.Content.ReadAsStringAsync(Ct));
        return (await response.Content.ReadFromJsonAsync<JsonNode>(Ct))!;
    }

    /// <summary>What the API says is wrong with a file, by field.</summary>
    public static async Task<Dictionary<string, string>> RefusedAsync(this TestCustomer customer, byte[] csv)
    {
        using var response = await customer.ImportAsync(csv);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        return (await response.Content.ReadFromJsonAsync<JsonNode>(Ct))!["errors"]!.AsObject()
            .ToDictionary(error => error.Key, error => (string)Assert.Single(error.Value!.AsArray())!);
    }

    public static Task<Dictionary<string, string>> RefusedAsync(this TestCustomer customer, string csv) =>
        customer.RefusedAsync(Encoding.UTF8.GetBytes(csv));
}

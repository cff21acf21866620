using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Tests.Integration.Invoicing;
using Xunit;

namespace Tests.Integration.Contract;

/// <summary>A request that is sent again with its key has no second effect, and gets the first response.</summary>
public sealed class IdempotencyTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_repetition_gets_the_same_response_and_writes_nothing()
    {
        var acme = await app.NewCustomerAsync();
        var invoice = await acme.CreateInvoiceAsync(5m);
        foreach (var (path, body) in new (string, HttpContent)[]
        {
            ("/invoices", JsonContent.Create(TestCustomer.Invoice(1m))),
            ("/contacts", JsonContent.Create(new { name = "Eve" })),
            ("/invoices/import", Csv()),
            ($"/invoices/{invoice["id"]}/payment", JsonContent.Create(new { paidOn = "2026-12-01" })),
            ($"/customers/{acme.Tenant.Slug}/invoices", JsonContent.Create(TestCustomer.Invoice(2m))),
        })
        {
            var key = Guid.NewGuid().ToString();
            using var first = await acme.SendAsync(path, body, key);
            var rows = await CountAsync(acme);
            using var again = await acme.SendAsync(path, body, key);

            Assert.True(first.IsSuccessStatusCode, path);
            Assert.Equal((path, first.StatusCode), (path, again.StatusCode));
            Assert.Equal(await first.Content.ReadAsByteArrayAsync(Ct), await again.Content.ReadAsByteArrayAsync(Ct));
            Assert.Equal(first.Content.Headers.ContentType, again.Content.Headers.ContentType);
            Assert.Equal(first.Headers.Location, again.Headers.Location);
            Assert.Equal(first.Headers.ETag, again.Headers.ETag);
            Assert.Equal((false, true), (IsReplayed(first), IsReplayed(again)));
            Assert.Equal((path, rows), (path, await CountAsync(acme)));
        }
    }

    [Fact]
    public async Task The_tag_of_a_replayed_invoice_is_the_invoices()
    {
        var acme = await app.NewCustomerAsync();
        using var first = await acme.SendAsync("/invoices", Invoice(1m), "one");
        using var again = await acme.SendAsync("/invoices", Invoice(1m), "one");
        using var read = await acme.Http.GetAsync(again.Headers.Location, Ct);

        Assert.NotNull(again.Headers.ETag);
        Assert.Equal(read.Headers.ETag, again.Headers.ETag);
    }

    [Fact]
    public async Task Of_many_requests_at_once_with_one_key_one_writes()
    {
        var acme = await app.NewCustomerAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ =>
            acme.SendAsync("/invoices", Invoice(1m), "one")));

        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.Created && !IsReplayed(answer));
        foreach (var other in answers.Where(answer => !IsReplayed(answer)
            && answer.StatusCode != HttpStatusCode.Created))
        {
            await RefusedAsync(other, HttpStatusCode.Conflict, "urn:problem:idempotency-key-in-flight");
            Assert.Equal(TimeSpan.FromSeconds(1), other.Headers.RetryAfter?.Delta);
        }

        Assert.Single(await acme.InvoicesAsync());
    }

    [Fact]
    public async Task A_key_belongs_to_one_body_and_one_operation()
    {
        var acme = await app.NewCustomerAsync();
        var (one, two) = (await acme.CreateInvoiceAsync(8m), await acme.CreateInvoiceAsync(9m));
        var paid = new { paidOn = "2026-12-01" };
        (await acme.SendAsync("/invoices", Invoice(1m), "invoice")).Dispose();
        (await acme.SendAsync($"/invoices/{one["id"]}/payment", JsonContent.Create(paid), "payment")).Dispose();

        foreach (var (path, body, key) in new (string, HttpContent, string)[]
        {
            ("/invoices", Invoice(2m), "invoice"),
            ("/contacts", JsonContent.Create(TestCustomer.Invoice(1m)), "invoice"),
            ($"/invoices/{two["id"]}/payment", JsonContent.Create(paid), "payment"),
        })
        {
            await RefusedAsync(await acme.SendAsync(path, body, key), HttpStatusCode.UnprocessableEntity,
                "urn:problem:idempotency-key-reused");
        }

        Assert.Equal("open",
            (string)(await acme.Http.GetFromJsonAsync<JsonNode>($"/invoices/{two["id"]}", Ct))!["status"]!);
        Assert.Equal(3, (await acme.InvoicesAsync()).Count);
    }

    [Fact]
    public async Task A_refused_request_leaves_its_key_to_the_right_one()
    {
        var acme = await app.NewCustomerAsync();
        foreach (var (path, wrong, status) in new (string, HttpContent, HttpStatusCode)[]
        {
            ("/invoices", JsonContent.Create(new { currency = "EUR" }), HttpStatusCode.BadRequest),
            ("/invoices", new StringContent("{"), HttpStatusCode.UnsupportedMediaType),
            ("/invoices", new StringContent("{", new System.Net.Http.Headers.MediaTypeHeaderValue("application/json")),
                HttpStatusCode.BadRequest),
            ("/invoices/import", new StringContent("nothing"), HttpStatusCode.UnsupportedMediaType),
            ($"/invoices/{Guid.NewGuid()}/payment", JsonContent.Create(new { paidOn = "2026-12-01" }),
                HttpStatusCode.NotFound),
        })
        {
            using var refused = await acme.SendAsync(path, wrong, "one");
            Assert.Equal((path, status), (path, refused.StatusCode));
        }

        using var right = await acme.SendAsync("/invoices", Invoice(1m), "one");
        Assert.Equal((HttpStatusCode.Created, false), (right.StatusCode, IsReplayed(right)));
    }

    [Fact]
    public async Task A_conflict_is_not_stored()
    {
        var acme = await app.NewCustomerAsync();
        var ada = new { name = "Ada", email = "ada@example.com" };
        using var there = await acme.Http.PostAsJsonAsync("/contacts", ada, Ct);
        using var taken = await acme.SendAsync("/contacts", JsonContent.Create(ada), "one");
        using var deleted = await acme.Http.SendAsync(
            new(HttpMethod.Delete, there.Headers.Location) { Headers = { IfMatch = { there.Headers.ETag! } } }, Ct);
        using var added = await acme.SendAsync("/contacts", JsonContent.Create(ada), "one");

        Assert.Equal([HttpStatusCode.Conflict, HttpStatusCode.NoContent, HttpStatusCode.Created],
            [taken.StatusCode, deleted.StatusCode, added.StatusCode]);
        Assert.Contains("There is a contact", await taken.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_customers_keys_are_two_keys()
    {
        foreach (var amount in new[] { 1m, 2m })
        {
            var customer = await app.NewCustomerAsync();
            using var written = await customer.SendAsync("/invoices", Invoice(amount), "one");
            Assert.Equal((HttpStatusCode.Created, false), (written.StatusCode, IsReplayed(written)));
        }
    }

    private static async Task<string> CountAsync(TestCustomer customer)
    {
        var invoices = await customer.Http.GetFromJsonAsync<JsonNode>("/invoices", Ct);
        var contacts = await customer.Http.GetFromJsonAsync<JsonNode>("/contacts", Ct);
        return $"{invoices!["total"]} invoices, {contacts!["total"]} contacts";
    }

    internal static bool IsReplayed(HttpResponseMessage answer) =>
        answer.Headers.TryGetValues("Idempotent-Replayed", out var values) && values.Single() == "true";

    internal static JsonContent Invoice(decimal total) => JsonContent.Create(TestCustomer.Invoice(total));

    private static StringContent Csv() => new(CsvFiles.Of(CsvFiles.Row("1"), CsvFiles.Row("2")),
        System.Text.Encoding.UTF8, "text/csv");

    private static async Task RefusedAsync(HttpResponseMessage answer, HttpStatusCode status, string type)
    {
        using (answer)
        {
            Assert.Equal(status, answer.StatusCode);
            Assert.Equal(type, (string)(await answer.Content.ReadFromJsonAsync<JsonObject>(Ct))!["type"]!);
        }
    }
}

internal static class KeyedRequests
{
    /// <summary>Posts with a key. The content may be sent again.</summary>
    public static Task<HttpResponseMessage> SendAsync(
        this TestCustomer customer, string path, HttpContent content, string key) => customer.Http.SendAsync(
            new(HttpMethod.Post, path) { Content = content, Headers = { { "Idempotency-Key", key } } },
            TestContext.Current.CancellationToken);
}

using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace Tests.Integration.Isolation;

public sealed class InvoicesOverHttpTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Invoices_of_one_customer_are_unseen_by_another()
    {
        var acme = await app.NewCustomerAsync();
        var globex = await app.NewCustomerAsync();

        var invoice = await acme.CreateInvoiceAsync(total: 120m);

        Assert.Equal(120m, (decimal)Assert.Single(await acme.InvoicesAsync())!["total"]!);
        Assert.Empty(await globex.InvoicesAsync());
        using var other = await globex.Http.GetAsync($"/invoices/{invoice["id"]}", Ct);
        Assert.Equal(HttpStatusCode.NotFound, other.StatusCode);
    }

    [Fact]
    public async Task Every_customer_counts_its_own_invoices_from_one()
    {
        var acme = await app.NewCustomerAsync();
        var globex = await app.NewCustomerAsync();

        Assert.Equal(1, (int)(await acme.CreateInvoiceAsync(1m))["number"]!);
        Assert.Equal(2, (int)(await acme.CreateInvoiceAsync(1m))["number"]!);
        Assert.Equal(1, (int)(await globex.CreateInvoiceAsync(1m))["number"]!);
    }

    [Fact]
    public async Task An_invoice_comes_back_with_lines_and_totals_rounded_as_its_currency_is()
    {
        var acme = await app.NewCustomerAsync();
        using var created = await acme.Http.PostAsJsonAsync("/invoices", new
        {
            contact = new { name = " Ada Moreau ", email = "ada@example.com" },
            currency = "KWD",
            issuedOn = "2020-01-01",
            dueOn = "2020-01-31",
            lines = new[]
            {
                new { description = "One", quantity = 2.5m, unitPrice = 10.3333m },
                new { description = "Two", quantity = 1m, unitPrice = 0.0005m },
            },
        }, Ct);

        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        var found = (await acme.Http.GetFromJsonAsync<JsonNode>(created.Headers.Location, Ct))!;
        Assert.Equal(25.834m, (decimal)found["total"]!);
        Assert.Equal([25.833m, 0.001m], found["lines"]!.AsArray().Select(line => (decimal)line!["total"]!));
        Assert.Equal(("Ada Moreau", "ada@example.com"),
            ((string)found["contact"]!["name"]!, (string)found["contact"]!["email"]!));
        Assert.Equal(3, (int)found["currency"]!["decimals"]!);
        Assert.Equal("overdue", (string)found["status"]!);
    }

    [Fact]
    public async Task The_same_contact_is_kept_once()
    {
        var acme = await app.NewCustomerAsync();

        var first = await acme.CreateInvoiceAsync(1m, "Ada");
        var second = await acme.CreateInvoiceAsync(2m, "Ada");
        var other = await acme.CreateInvoiceAsync(3m, "Jonas");

        Assert.Equal((string)first["contact"]!["id"]!, (string)second["contact"]!["id"]!);
        Assert.NotEqual((string)first["contact"]!["id"]!, (string)other["contact"]!["id"]!);
    }

    [Fact]
    public async Task A_list_comes_in_pages()
    {
        var acme = await app.NewCustomerAsync();
        for (var i = 1; i <= 5; i++)
        {
            await acme.CreateInvoiceAsync(i);
        }

        var page = (await acme.Http.GetFromJsonAsync<JsonNode>("/invoices?page=2&pageSize=2", Ct))!;

        Assert.Equal([3, 2], page["items"]!.AsArray().Select(item => (int)item!["number"]!));
        Assert.Equal((2, 2, 5), ((int)page["page"]!, (int)page["pageSize"]!, (int)page["total"]!));
        Assert.Empty((await acme.Http.GetFromJsonAsync<JsonNode>("/invoices?page=9", Ct))!["items"]!.AsArray());
    }

    [Theory]
    [InlineData(null, 400)]
    [InlineData("Not A Slug", 400)]
    [InlineData("acme\",public", 400)]
    [InlineData("nobody-has-this-slug", 404)]
    public async Task A_request_without_a_known_customer_is_refused_in_words(string? slug, int status)
    {
        using var client = app.Client();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/invoices");
        if (slug is not null)
        {
            request.Headers.Add("X-Customer", slug);
        }

        using var response = await client.SendAsync(request, Ct);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        Assert.False(
            string.IsNullOrEmpty((string?)(await response.Content.ReadFromJsonAsync<JsonNode>(Ct))!["detail"]));
    }

    [Fact]
    public async Task Two_customers_named_at_once_are_refused()
    {
        var acme = await app.NewCustomerAsync();
        acme.Http.DefaultRequestHeaders.Add("X-Customer", "globex");

        using var response = await acme.Http.GetAsync("/invoices", Ct);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task Bad_input_is_named_field_by_field_and_nothing_is_written()
    {
        var acme = await app.NewCustomerAsync();
        using var response = await acme.Http.PostAsJsonAsync("/invoices", new
        {
            contact = new { name = "", email = "nobody" },
            currency = "euro",
            issuedOn = "2026-11-23",
            lines = new object?[] { new { description = "", quantity = 0, unitPrice = -1 },
                new { description = "x", quantity = 1.2345m, unitPrice = 1.23456m } },
        }, Ct);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var errors = (await response.Content.ReadFromJsonAsync<JsonNode>(Ct))!["errors"]!.AsObject()
            .Select(error => error.Key);
        Assert.Superset(
            new HashSet<string> { "contact.name", "contact.email", "currency", "dueOn", "lines[0].description",
                "lines[0].quantity", "lines[0].unitPrice" },
            errors.ToHashSet());
        Assert.Empty(await acme.InvoicesAsync());
    }

    [Theory]
    [InlineData(
        """{"contact":{"name":"A"},"currency":"EUR","issuedOn":"2026-11-23","dueOn":"2026-11-22","lines":[{"description":"x","quantity":1,"unitPrice":1}]}""", "dueOn")]
    [InlineData(
        """{"contact":{"name":"A"},"currency":"XYZ","issuedOn":"2026-11-23","dueOn":"2026-11-23","lines":[{"description":"x","quantity":1,"unitPrice":1}]}""", "currency")]
    [InlineData("""{"contact":{"name":"A"},"currency":"EUR","issuedOn":"2026-11-23","dueOn":"2026-11-23","lines":[]}""",
        "lines")]
    [InlineData(
        """{"contact":{"name":"A"},"currency":"EUR","issuedOn":"2026-11-23","dueOn":"2026-11-23","lines":[null]}""",
        "lines[0]")]
    [InlineData(
        """{"contact":{"name":"A"},"currency":"EUR","issuedOn":"2026-11-23","dueOn":"2026-11-23","lines":[{"description":"x","quantity":1.2345,"unitPrice":1}]}""", "lines[0].quantity")]
    [InlineData(
        """{"currency":"EUR","issuedOn":"2026-11-23","dueOn":"2026-11-23","lines":[{"description":"x","quantity":1,"unitPrice":1}]}""", "contact")]
    public async Task One_mistake_is_named(string body, string field)
    {
        var acme = await app.NewCustomerAsync();
        using var response = await acme.Http.PostAsync(
            "/invoices", new StringContent(body, System.Text.Encoding.UTF8, "application/json"), Ct);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal([field],
            (await response.Content.ReadFromJsonAsync<JsonNode>(Ct))!["errors"]!.AsObject().Select(error => error.Key));
    }

    [Theory]
    [InlineData("{\"contact\":", 400)]
    [InlineData(
        "{\"contact\":{\"name\":\"a\\u0000b\"},\"currency\":\"EUR\",\"issuedOn\":\"2026-11-23\",\"dueOn\":\"2026-11-23\",\"lines\":[{\"description\":\"x\",\"quantity\":1,\"unitPrice\":1}]}", 400)]
    public async Task What_cannot_be_read_or_stored_is_the_callers_mistake(string body, int status)
    {
        var acme = await app.NewCustomerAsync();
        using var response = await acme.Http.PostAsync(
            "/invoices", new StringContent(body, System.Text.Encoding.UTF8, "application/json"), Ct);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.NotNull((await response.Content.ReadFromJsonAsync<JsonNode>(Ct))!["detail"]);
    }
}

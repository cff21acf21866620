using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Tests.Integration.Invoicing;
using Xunit;

namespace Tests.Integration.Contract;

/// <summary>What isn't understood is refused, in one form and in the caller's words.</summary>
public sealed class StrictnessTests(App app)
{
    private const string Line = """{"description":"x","quantity":1,"unitPrice":1}""";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_parameter_without_a_value_is_none()
    {
        using var http = app.Client();
        foreach (var path in new[]
        {
            "/customers?status=&condition=&sort=&search=&version=&pageSize=1", "/operations?state=&kind=&customer=",
        })
        {
            using var answer = await http.GetAsync(path, Ct);
            Assert.Equal((path, System.Net.HttpStatusCode.OK), (path, answer.StatusCode));
        }
    }

    [Theory]
    [InlineData("/invoices?pagesize=3&sort=total", "sort")]
    [InlineData("/invoices?page=none", "page")]
    [InlineData("/invoices?page=1&page=2", "page")]
    [InlineData("/invoices?page=", "page")]
    [InlineData("/invoices?pageSize=0", "pageSize")]
    [InlineData("/invoices?pageSize=99999999999999999999", "pageSize")]
    [InlineData("/customers?serach=x", "serach")]
    [InlineData("/currencies?x", "x")]
    [InlineData("/api-keys?Customer=a&nobody=b", "nobody")]
    public async Task A_parameter_that_isnt_understood_is_named(string path, string field)
    {
        var acme = await app.NewCustomerAsync();
        await RefusedAsync(await acme.Http.GetAsync(path, Ct), field);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("{", "")]
    [InlineData("null", "")]
    [InlineData("[]", "")]
    [InlineData("\"text\"", "")]
    [InlineData("""{"contact":{"name":"A"},"currency":"EUR","issuedOn":"2026-11-23","dueOn":"2026-12-23","lines":[LINE],"total":5}""", "total")]
    [InlineData("""{"contact":{"name":"A","phone":"1"},"currency":"EUR","issuedOn":"2026-11-23","dueOn":"2026-12-23","lines":[LINE]}""", "contact.phone")]
    [InlineData("""{"contact":{"name":"A"},"currency":"EUR","currency":"USD","issuedOn":"2026-11-23","dueOn":"2026-12-23","lines":[LINE]}""", "currency")]
    [InlineData("""{"contact":{"name":"A"},"currency":"EUR","issuedOn":"23.11.2026","dueOn":"2026-12-23","lines":[LINE]}""", "issuedOn")]
    [InlineData("""{"contact":{"name":"A"},"currency":"EUR","issuedOn":"2026-11-23","dueOn":"2026-12-23","lines":[LINE,{"description":"x","quantity":"1","unitPrice":1}]}""", "lines[1].quantity")]
    [InlineData("""{"contact":"A","currency":"EUR","issuedOn":"2026-11-23","dueOn":"2026-12-23","lines":[LINE]}""", "contact")]
    [InlineData("""{"contact":{"name":"A"},"currency":7,"issuedOn":"2026-11-23","dueOn":"2026-12-23","lines":[LINE]}""", "currency")]
    [InlineData("""{"contact":{"name":"A"},"currency":"EUR","issuedOn":"2026-11-23","dueOn":"2026-12-23","lines":{}}""", "lines")]
    [InlineData("""{"contact":{"name":"A"},"currency":"EUR","issuedOn":"2026-11-23","dueOn":"2026-12-23","lines":[{"description":"x","quantity":1e400,"unitPrice":1}]}""", "lines[0].quantity")]
    public async Task A_body_that_isnt_understood_is_named_by_its_path(string body, string field)
    {
        var acme = await app.NewCustomerAsync();
        using var content = new StringContent(
            body.Replace("LINE", Line, StringComparison.Ordinal), Encoding.UTF8, "application/json");
        await RefusedAsync(await acme.Http.PostAsync("/invoices", content, Ct), field);
        Assert.Empty(await acme.InvoicesAsync());
    }

    [Fact]
    public async Task All_mistakes_of_a_body_come_at_once()
    {
        var acme = await app.NewCustomerAsync();
        using var refused = await acme.Http.PostAsJsonAsync("/invoices", new
        {
            contact = new { name = "", email = "nobody" }, currency = "euro", issuedOn = "2026-11-23",
                dueOn = "2026-11-22",
            lines = new[] { new { description = "", quantity = 1.23456m, unitPrice = 1.23456m } },
        }, Ct);

        var errors = (await refused.Content.ReadFromJsonAsync<JsonObject>(Ct))!["errors"]!.AsObject();
        Assert.Equal(["contact.email", "contact.name", "currency", "dueOn", "lines[0].description", "lines[0].quantity",
            "lines[0].unitPrice"], errors.Select(error => error.Key).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    public async Task Another_content_type_is_415(string type)
    {
        var acme = await app.NewCustomerAsync();
        using var content = new StringContent("{}", Encoding.UTF8, type);
        using var refused = await acme.Http.PostAsync("/invoices", content, Ct);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, refused.StatusCode);
        Assert.DoesNotContain("NewInvoice", await refused.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a\u0001b")]
    [InlineData("a\nb")]
    [InlineData("a\tb")]
    [InlineData("a\u007fb")]
    [InlineData("a\u0085b")]
    [InlineData("a\u202eb")]
    [InlineData("a\u2066b")]
    [InlineData("a\u200fb")]
    [InlineData("a\u061cb")]
    [InlineData("a\u2028b")]
    [InlineData("a\ufeffb")]
    [InlineData("a\u200bb")]
    [InlineData("a\u0000b")]
    public async Task A_name_that_breaks_lines_or_hides_is_refused_wherever_it_comes_from(string name)
    {
        var acme = await app.NewCustomerAsync();
        await RefusedAsync(await acme.Http.PostAsJsonAsync("/customers", new { slug = App.NewSlug(), name }, Ct),
            "name");
        await RefusedAsync(await acme.Http.PostAsJsonAsync("/api-keys", new { name }, Ct), "name");
        await RefusedAsync(
            await acme.Http.PostAsJsonAsync("/invoices", TestCustomer.Invoice(1m, contact: name), Ct), "contact.name");
        using var refused = await acme.ImportAsync(CsvFiles.Of(CsvFiles.Row(contact: $"\"{name}\"")));
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Empty(await acme.InvoicesAsync());
    }

    [Theory]
    [InlineData("Zoë Müller-Lüdenscheidt")]
    [InlineData("株式会社")]
    [InlineData("שלום בע\"מ")]
    [InlineData("👩‍👩‍👧 & Sons")]
    public async Task A_name_in_any_language_is_taken(string name)
    {
        var acme = await app.NewCustomerAsync();
        Assert.Equal(name, (string)(await acme.CreateInvoiceAsync(1m, name))["contact"]!["name"]!);
    }

    [Fact]
    public async Task A_search_finds_the_characters_that_SQL_takes_for_others()
    {
        var acme = await app.NewCustomerAsync();
        var name = $@"100%_of\{Guid.NewGuid():n}";
        (await acme.Http.PostAsJsonAsync("/customers", new { slug = App.NewSlug(), name }, Ct)).Dispose();

        foreach (var (search, found) in new[]
            { (name, true), (name.ToUpperInvariant(), true), (name.Replace('%', '_'), false),
                (name.Replace('_', '%'), false) })
        {
            var page = await acme.Http.GetFromJsonAsync<JsonNode>($"/customers?search={Uri.EscapeDataString(search)}",
                Ct);
            Assert.Equal((search, found ? 1 : 0), (search, (int)page!["total"]!));
        }
    }

    [Fact]
    public async Task HEAD_answers_as_GET_without_a_body()
    {
        var acme = await app.NewCustomerAsync();
        var invoice = await acme.CreateInvoiceAsync(1m);
        foreach (var path in new[] { "/invoices", $"/invoices/{invoice["id"]}", "/customers", "/currencies" })
        {
            using var get = await acme.Http.GetAsync(path, Ct);
            using var head = await acme.Http.SendAsync(new(HttpMethod.Head, path), Ct);
            Assert.Equal(get.StatusCode, head.StatusCode);
            Assert.Equal(get.Content.Headers.ContentType, head.Content.Headers.ContentType);
        }

        using var missing = await acme.Http.SendAsync(new(HttpMethod.Head, $"/invoices/{Guid.NewGuid()}"), Ct);
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        using var unnamed = await acme.Http.SendAsync(new(HttpMethod.Head, "/invoices?nobody=1"), Ct);
        Assert.Equal(HttpStatusCode.BadRequest, unnamed.StatusCode);
    }

    [Fact]
    public async Task Every_answer_says_its_version_and_that_its_type_is_right()
    {
        var acme = await app.NewCustomerAsync();
        foreach (var path in new[] { "/invoices", "/nothing", "/health", "/openapi/v1.json", "/invoices?x=1" })
        {
            using var answer = await acme.Http.GetAsync(path, Ct);
            Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
            Assert.Equal("1", Assert.Single(answer.Headers.GetValues("Api-Version")));
        }

        acme.Http.DefaultRequestHeaders.Add("Api-Version", "2");
        using var refused = await acme.Http.GetAsync("/invoices", Ct);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
    }

    [Fact]
    public async Task Answers_are_compressed_for_who_takes_that()
    {
        var acme = await app.NewCustomerAsync();
        await acme.CreateInvoiceAsync(1m);
        using var request = new HttpRequestMessage(HttpMethod.Get,
            "/invoices") { Headers = { AcceptEncoding = { new("br") } } };
        using var answer = await acme.Http.SendAsync(request, Ct);
        Assert.Equal(["br"], answer.Content.Headers.ContentEncoding);
        // A cache still keeps customers apart.
        Assert.Superset(new HashSet<string> { "X-Customer", "Accept-Encoding" },
            answer.Headers.Vary.SelectMany(value => value.Split(", ")).ToHashSet());
    }

    [Fact]
    public async Task Other_sites_pages_may_call_it_only_where_they_are_named()
    {
        await using var api = new ApiFactory().WithWebHostBuilder(host => host.UseEnvironment("Development")
            .UseSetting("ConnectionStrings:tenants", app.ConnectionString)
            .UseSetting("Cors:Origins:0", "https://console.example").ConfigureLogging(log => log.ClearProviders()));
        using var http = api.CreateClient();
        http.DefaultRequestHeaders.Authorization = null;
        foreach (var (origin, allowed) in new[] { ("https://console.example", true), ("https://evil.example", false) })
        {
            using var preflight = new HttpRequestMessage(HttpMethod.Options, "/invoices");
            preflight.Headers.Add("Origin", origin);
            preflight.Headers.Add("Access-Control-Request-Method", "POST");
            preflight.Headers.Add("Access-Control-Request-Headers", "authorization,content-type");
            using var answer = await http.SendAsync(preflight, Ct);
            Assert.Equal(allowed, answer.Headers.Contains("Access-Control-Allow-Origin"));
        }
    }

    private static async Task RefusedAsync(HttpResponseMessage answer, string field)
    {
        using (answer)
        {
            var text = await answer.Content.ReadAsStringAsync(Ct);
            Assert.True(answer.StatusCode == HttpStatusCode.BadRequest, $"{answer.StatusCode}: {text}");
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
            var problem = JsonNode.Parse(text)!;
            Assert.Equal("urn:problem:invalid-request", (string?)problem["type"]);
            Assert.Equal([field], problem["errors"]!.AsObject().Select(error => error.Key));
            foreach (var leak in new[] { "System.", "Nullable", "Int32", "DateOnly", "NewInvoice", "Api.", "\"int",
                "LineNumber", "   at " })
            {
                Assert.DoesNotContain(leak, text, StringComparison.Ordinal);
            }
        }
    }
}

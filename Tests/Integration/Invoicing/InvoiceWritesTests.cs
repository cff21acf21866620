using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace Tests.Integration.Invoicing;

/// <summary>An invoice is changed, paid and deleted by who has seen how it is.</summary>
public sealed class InvoiceWritesTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_change_needs_the_version_that_was_read_and_makes_another()
    {
        var acme = await app.NewCustomerAsync();
        var (address, tag) = await WriteAsync(acme);

        using var changed = await SendAsync(acme, HttpMethod.Put, address, tag, Body(3m, "2026-12-24", 2));

        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        var view = (await changed.Content.ReadFromJsonAsync<JsonObject>(Ct))!;
        Assert.Equal((3m * 2, "2026-12-24"), ((decimal)view["total"]!, (string)view["dueOn"]!));
        Assert.NotEqual(tag, changed.Headers.ETag);
        // The same again, by who hasn't seen that.
        using var late = await SendAsync(acme, HttpMethod.Put, address, tag, Body(9m));
        Assert.Equal(HttpStatusCode.PreconditionFailed, late.StatusCode);
        Assert.Equal(6m, (decimal)(await acme.Http.GetFromJsonAsync<JsonObject>(address, Ct))!["total"]!);
    }

    [Fact]
    public async Task A_change_of_a_line_alone_changes_the_version()
    {
        var acme = await app.NewCustomerAsync();
        var (address, tag) = await WriteAsync(acme);

        using var changed = await SendAsync(acme, HttpMethod.Put, address, tag, Body(1m, description: "Other work"));

        Assert.NotEqual(tag, changed.Headers.ETag);
        using var read = await acme.Http.GetAsync(address, Ct);
        Assert.Equal(changed.Headers.ETag, read.Headers.ETag);
    }

    [Fact]
    public async Task Of_two_who_have_read_the_same_one_writes_and_the_other_is_told()
    {
        var acme = await app.NewCustomerAsync();
        var (address, tag) = await WriteAsync(acme);

        var answers = await Task.WhenAll(Enumerable.Range(1, 6).Select(amount =>
            SendAsync(acme, HttpMethod.Put, address, tag, Body(amount))));

        Assert.Equal(1, answers.Count(answer => answer.StatusCode == HttpStatusCode.OK));
        Assert.Equal(5, answers.Count(answer => answer.StatusCode == HttpStatusCode.PreconditionFailed));
    }

    [Theory]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    public async Task Without_a_version_nothing_is_changed(string method)
    {
        var acme = await app.NewCustomerAsync();
        var (address, tag) = await WriteAsync(acme);
        foreach (var (wrong, status) in new[]
        {
            (null, HttpStatusCode.PreconditionRequired), ("\"0\"", HttpStatusCode.PreconditionFailed),
            ($"W/{tag}", HttpStatusCode.PreconditionFailed), ("no tag", HttpStatusCode.PreconditionFailed),
        })
        {
            using var request = new HttpRequestMessage(new(method), address);
            request.Content = method == "PUT" ? JsonContent.Create(Body(9m)) : null;
            if (wrong is not null)
            {
                request.Headers.TryAddWithoutValidation("If-Match", wrong);
            }

            using var answer = await acme.Http.SendAsync(request, Ct);
            Assert.Equal((wrong, status), (wrong, answer.StatusCode));
        }

        Assert.Single(await acme.InvoicesAsync());
        using var any = await SendAsync(acme, new(method), address, EntityTagHeaderValue.Any, method == "PUT"
            ? Body(9m) : null);
        Assert.True(any.IsSuccessStatusCode);
    }

    [Fact]
    public async Task A_reader_who_has_the_version_gets_304()
    {
        var acme = await app.NewCustomerAsync();
        var (address, tag) = await WriteAsync(acme);

        using var known = new HttpRequestMessage(HttpMethod.Get, address) { Headers = { IfNoneMatch = { tag } } };
        using var answer = await acme.Http.SendAsync(known, Ct);

        Assert.Equal(HttpStatusCode.NotModified, answer.StatusCode);
        Assert.Equal(tag, answer.Headers.ETag);
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync(Ct));
    }

    [Fact]
    public async Task A_deleted_invoice_is_gone_with_its_lines_and_its_number_stays_unused()
    {
        var acme = await app.NewCustomerAsync();
        var (address, tag) = await WriteAsync(acme);

        using var deleted = await SendAsync(acme, HttpMethod.Delete, address, tag, null);

        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await acme.Http.GetAsync(address, Ct)).StatusCode);
        using var again = await SendAsync(acme, HttpMethod.Delete, address, tag, null);
        Assert.Equal(HttpStatusCode.NotFound, again.StatusCode);
        Assert.Equal(2, (int)(await acme.CreateInvoiceAsync(1m))["number"]!);
    }

    [Fact]
    public async Task A_paid_invoice_stays_as_it_is()
    {
        var acme = await app.NewCustomerAsync();
        var (address, _) = await WriteAsync(acme);

        for (var time = 0; time < 2; time++)
        {
            using var paid = await acme.Http.PostAsJsonAsync($"{address}/payment", new { paidOn = "2026-12-01" }, Ct);
            Assert.Equal(HttpStatusCode.OK, paid.StatusCode);
            Assert.Equal("paid", (string)(await paid.Content.ReadFromJsonAsync<JsonObject>(Ct))!["status"]!);
        }

        using var other = await acme.Http.PostAsJsonAsync($"{address}/payment", new { paidOn = "2026-12-02" }, Ct);
        Assert.Equal(HttpStatusCode.Conflict, other.StatusCode);
        using var changed = await SendAsync(acme, HttpMethod.Put, address, EntityTagHeaderValue.Any, Body(9m));
        Assert.Equal(HttpStatusCode.Conflict, changed.StatusCode);
        using var deleted = await SendAsync(acme, HttpMethod.Delete, address, EntityTagHeaderValue.Any, null);
        Assert.Equal(HttpStatusCode.Conflict, deleted.StatusCode);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"paidOn":"2026-11-22"}""")]
    [InlineData("""{"paidOn":"soon"}""")]
    public async Task A_payment_that_cant_be_is_refused(string body)
    {
        var acme = await app.NewCustomerAsync();
        var (address, _) = await WriteAsync(acme);
        using var refused = await acme.Http.PostAsync(
            $"{address}/payment", new StringContent(body, System.Text.Encoding.UTF8, "application/json"), Ct);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Equal(["paidOn"],
            (await refused.Content.ReadFromJsonAsync<JsonObject>(Ct))!["errors"]!.AsObject().Select(error =>
                error.Key));
    }

    [Fact]
    public async Task A_list_is_narrowed_and_sorted_as_asked()
    {
        var acme = await app.NewCustomerAsync();
        await acme.CreateInvoiceAsync(1m, "Ada Moreau");
        await acme.CreateInvoiceAsync(2m, "100% Wool_Ltd");
        var (address, _) = await WriteAsync(acme);
        (await acme.Http.PostAsJsonAsync($"{address}/payment", new { paidOn = "2026-12-01" }, Ct)).Dispose();

        foreach (var (query, numbers) in new (string, int[])[]
        {
            ("", [3, 2, 1]), ("sort=oldest", [1, 2, 3]), ("sort=dueLast", [3, 2, 1]), ("status=paid", [3]),
            ("status=open&sort=oldest", [1, 2]), ("status=overdue", []), ("search=moreau", [3, 1]), ("search=2", [2]),
            ("search=%25", [2]), ("search=l_l", [2]), ("search=_", [2]), ("search=nobody", []),
            ("issuedFrom=2026-11-24", []), ("issuedFrom=2026-11-23&issuedTo=2026-11-23", [3, 2, 1]),
            ("issuedTo=2026-11-22", []), ("sort=oldest&pageSize=1&page=2", [2]), ("numberFrom=2", [3, 2]),
            ("numberFrom=2&numberTo=2", [2]), ("numberTo=0", []), ("dueFrom=2026-12-24", []),
            ("dueFrom=2026-12-23&dueTo=2026-12-23", [3, 2, 1]), ("dueTo=2026-12-22", []), ("currency=EUR", [3, 2, 1]),
            ("currency=USD", []), ($"contact={await ContactOfAsync(acme, address)}", [3, 1]),
            ("contact=00000000-0000-0000-0000-000000000000", []),
            ("sort=&currency=&status=&search=", [3, 2, 1]),
        })
        {
            using var answer = await acme.Http.GetAsync($"/invoices?{query}", Ct);
            var text = await answer.Content.ReadAsStringAsync(Ct);
            Assert.True(answer.IsSuccessStatusCode, $"{query}: {text}");
            var page = JsonNode.Parse(text)!;
            Assert.Equal((query, string.Join(',', numbers)),
                (query, string.Join(',', page["items"]!.AsArray().Select(one => (int)one!["number"]!))));
        }

        foreach (var wrong in new[] { "sort=total", "sort=1", "status=lost", "status=0", "issuedFrom=23.11.2026", "currency=eur",
            "contact=ada", "numberFrom=x" })
        {
            Assert.Equal((wrong, HttpStatusCode.BadRequest),
                (wrong, (await acme.Http.GetAsync($"/invoices?{wrong}", Ct)).StatusCode));
        }
    }

    private static async Task<Guid> ContactOfAsync(TestCustomer customer, string invoice) =>
        (Guid)(await customer.Http.GetFromJsonAsync<JsonObject>(invoice, Ct))!["contact"]!["id"]!;

    private static async Task<(string Address, EntityTagHeaderValue Tag)> WriteAsync(TestCustomer customer)
    {
        using var written = await customer.Http.PostAsJsonAsync("/invoices", Body(1m), Ct);
        Assert.Equal(HttpStatusCode.Created, written.StatusCode);
        using var read = await customer.Http.GetAsync(written.Headers.Location, Ct);
        Assert.Equal(written.Headers.ETag, read.Headers.ETag);
        return (written.Headers.Location!.ToString(), read.Headers.ETag!);
    }

    private static Task<HttpResponseMessage> SendAsync(
        TestCustomer customer, HttpMethod method, string address, EntityTagHeaderValue tag, object? body) =>
        customer.Http.SendAsync(new(method, address)
        {
            Headers = { IfMatch = { tag } }, Content = body is null ? null : JsonContent.Create(body),
        }, Ct);

    private static object Body(decimal price, string due = "2026-12-23", int lines = 1, string description = "Work") =>
        new
    {
        contact = new { name = "Ada Moreau" }, currency = "EUR", issuedOn = "2026-11-23", dueOn = due,
        lines = Enumerable.Range(0, lines).Select(_ => new { description, quantity = 1m, unitPrice = price }),
    };
}

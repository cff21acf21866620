using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace Tests.Integration.Invoicing;

/// <summary>Whom a customer sends invoices to.</summary>
public sealed class ContactsTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_contact_is_added_read_changed_and_deleted()
    {
        var acme = await app.NewCustomerAsync();
        using var added = await acme.Http.PostAsJsonAsync("/contacts",
            new { name = " Ada ", email = "ada@example.com" }, Ct);
        Assert.Equal(HttpStatusCode.Created, added.StatusCode);
        using var read = await acme.Http.GetAsync(added.Headers.Location, Ct);
        Assert.Equal(added.Headers.ETag, read.Headers.ETag);
        Assert.Equal("Ada", (string)(await read.Content.ReadFromJsonAsync<JsonObject>(Ct))!["name"]!);

        using var changed = await SendAsync(acme, HttpMethod.Put, added.Headers.Location!, read.Headers.ETag!,
            new { name = "Ada Byron" });
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        using var late = await SendAsync(acme, HttpMethod.Put, added.Headers.Location!, read.Headers.ETag!,
            new { name = "Eve" });
        Assert.Equal(HttpStatusCode.PreconditionFailed, late.StatusCode);
        using var after = await acme.Http.GetAsync(added.Headers.Location, Ct);
        Assert.Equal(changed.Headers.ETag, after.Headers.ETag);
        var contact = (await after.Content.ReadFromJsonAsync<JsonObject>(Ct))!;
        Assert.Equal(("Ada Byron", null), ((string)contact["name"]!, (string?)contact["email"]));

        using var deleted = await SendAsync(acme, HttpMethod.Delete, added.Headers.Location!, after.Headers.ETag!,
            null);
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await acme.Http.GetAsync(added.Headers.Location, Ct)).StatusCode);
    }

    [Fact]
    public async Task A_contact_that_has_invoices_stays_and_its_change_shows_on_them()
    {
        var acme = await app.NewCustomerAsync();
        var invoice = await acme.CreateInvoiceAsync(1m, "Ada Moreau");
        var address = new Uri($"/contacts/{invoice["contact"]!["id"]}", UriKind.Relative);

        using var deleted = await SendAsync(acme, HttpMethod.Delete, address, EntityTagHeaderValue.Any, null);
        Assert.Equal(HttpStatusCode.Conflict, deleted.StatusCode);
        using var changed = await SendAsync(acme, HttpMethod.Put, address, EntityTagHeaderValue.Any,
            new { name = "Ada Byron" });
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        var read = await acme.Http.GetFromJsonAsync<JsonObject>($"/invoices/{invoice["id"]}", Ct);
        Assert.Equal("Ada Byron", (string)read!["contact"]!["name"]!);
    }

    [Fact]
    public async Task Two_contacts_of_one_name_and_address_are_one()
    {
        var acme = await app.NewCustomerAsync();
        var ada = new { name = "Ada", email = "ada@example.com" };
        (await acme.Http.PostAsJsonAsync("/contacts", ada, Ct)).Dispose();
        using var again = await acme.Http.PostAsJsonAsync("/contacts", ada, Ct);
        Assert.Equal(HttpStatusCode.Conflict, again.StatusCode);
        using var eve = await acme.Http.PostAsJsonAsync("/contacts", new { name = "Eve", email = "eve@example.com" },
            Ct);
        using var changed = await SendAsync(acme, HttpMethod.Put, eve.Headers.Location!, eve.Headers.ETag!, ada);
        Assert.Equal(HttpStatusCode.Conflict, changed.StatusCode);
    }

    [Fact]
    public async Task Contacts_are_searched_and_are_one_customers_alone()
    {
        var (acme, globex) = (await app.NewCustomerAsync(), await app.NewCustomerAsync());
        using var added = await acme.Http.PostAsJsonAsync("/contacts", new { name = "Zoë", email = "zoe@example.com" },
            Ct);
        await acme.CreateInvoiceAsync(1m, "Ada");

        foreach (var (query, names) in new[] { ("", "Ada,Zoë"), ("search=zoë", "Zoë"), ("search=EXAMPLE", "Zoë"),
            ("search=x_a", "") })
        {
            var page = (await acme.Http.GetFromJsonAsync<JsonObject>($"/contacts?{query}", Ct))!;
            Assert.Equal((query, names),
                (query, string.Join(',', page["items"]!.AsArray().Select(one => (string)one!["name"]!))));
        }

        Assert.Equal(HttpStatusCode.NotFound, (await globex.Http.GetAsync(added.Headers.Location, Ct)).StatusCode);
        using var foreign = await SendAsync(globex, HttpMethod.Delete, added.Headers.Location!,
            EntityTagHeaderValue.Any, null);
        Assert.Equal(HttpStatusCode.NotFound, foreign.StatusCode);
    }

    [Theory]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    public async Task Without_a_version_nothing_is_changed(string method)
    {
        var acme = await app.NewCustomerAsync();
        using var added = await acme.Http.PostAsJsonAsync("/contacts", new { name = "Ada" }, Ct);
        using var request = new HttpRequestMessage(new(method), added.Headers.Location);
        request.Content = method == "PUT" ? JsonContent.Create(new { name = "Eve" }) : null;
        using var answer = await acme.Http.SendAsync(request, Ct);
        Assert.Equal(HttpStatusCode.PreconditionRequired, answer.StatusCode);
    }

    private static Task<HttpResponseMessage> SendAsync(
        TestCustomer customer, HttpMethod method, Uri address, EntityTagHeaderValue tag, object? body) =>
        customer.Http.SendAsync(new(method, address)
        {
            Headers = { IfMatch = { tag } }, Content = body is null ? null : JsonContent.Create(body),
        }, Ct);
}

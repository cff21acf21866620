using System.Net;
using Bunit;
using Microsoft.AspNetCore.Components;
using MudBlazor;
using Web.Keys;
using Xunit;

namespace Tests.Unit.Web;

public sealed class KeysPageTests : PageContext
{
    private readonly IRenderedComponent<MudDialogProvider> _dialogs;

    public KeysPageTests() => _dialogs = Render<MudDialogProvider>();

    [Fact]
    public async Task A_new_key_is_shown_once_and_the_list_is_read_again()
    {
        Answer(_ => FakeApi.Json(HttpStatusCode.Created, new
        {
            id = "k2", name = "till", customer = "acme", createdAt = "2026-11-23T12:00:00Z", key = "tkc_k2_secret",
        }));
        var page = Render<KeysPage>(p => p.Add(x => x.Slug, "acme"));

        var opened = Button(page, "New key").ClickAsync();
        await _dialogs.Find("form").SubmitAsync();
        Assert.Equal("Say what the key is for.", Beside(_dialogs, "Purpose"));
        await _dialogs.Find("input").InputAsync("till");
        await _dialogs.Find("form").SubmitAsync();
        Assert.Equal("tkc_k2_secret", _dialogs.Find(".once-text").GetAttribute("value"));
        await Button(_dialogs, "Done").ClickAsync();
        await opened;

        Assert.Equal("""{"name":"till","customer":"acme"}""",
            Assert.Single(Api.Requests, asked => asked.Method == HttpMethod.Post).Body);
        Assert.Equal(2, Api.Requests.Count(asked => asked.Path == "/api-keys?customer=acme&page=1&pageSize=25"));
        _dialogs.WaitForAssertion(() =>
            Assert.DoesNotContain("tkc_k2_secret", _dialogs.Markup, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_key_is_revoked_after_a_question_and_a_revoked_one_cannot_be()
    {
        Answer(_ => new(HttpStatusCode.NoContent));
        var page = Render<KeysPage>(p => p.Add(x => x.Slug, "acme"));
        Assert.Equal(["Active", "Revoked"], page.FindAll("tbody .mud-chip").Select(chip => chip.TextContent.Trim()));

        var asking = Button(page, "Revoke…").ClickAsync();
        await Button(_dialogs, "Cancel").ClickAsync();
        await asking;
        Assert.DoesNotContain(Api.Requests, asked => asked.Method == HttpMethod.Delete);

        asking = Button(page, "Revoke…").ClickAsync();
        await Button(_dialogs, "Revoke").ClickAsync();
        await asking;

        Assert.Equal("/api-keys/k1", Assert.Single(Api.Requests, asked => asked.Method == HttpMethod.Delete).Path);
    }

    private void Answer(Func<HttpRequestMessage, HttpResponseMessage> write) =>
        Api.Answer = request => (request.Method == HttpMethod.Get, request.RequestUri!.AbsolutePath) switch
        {
            (true, "/api-keys") => FakeApi.Page(
                new { id = "k1", name = "shop floor", createdAt = "2026-11-23T12:00:00Z" },
                new { id = "k0", name = "old", createdAt = "2026-11-01T12:00:00Z", revokedAt = "2026-11-02T12:00:00Z" }),
            (true, _) => FakeApi.Json(HttpStatusCode.OK, CustomersPageTests.Named("acme", "Acme")),
            _ => write(request),
        };

    private static AngleSharp.Dom.IElement Button<T>(IRenderedComponent<T> page, string label) where T : IComponent =>
        page.FindAll("button").Single(button => button.TextContent.Trim() == label);
}

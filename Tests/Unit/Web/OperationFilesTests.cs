using System.Net;
using System.Text.Json.Nodes;
using Xunit;

namespace Tests.Unit.Web;

/// <summary>The file of an operation, on its way from the API to a browser.</summary>
public sealed class OperationFilesTests(WebHost web) : IClassFixture<WebHost>
{
    private static readonly string Address = $"/operations/{Guid.NewGuid()}/file";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whoever_is_signed_in_gets_what_the_api_sends_and_no_cache_keeps_it()
    {
        using var client = await web.SignedInAsync();

        using var file = await client.GetAsync(Address, Ct);

        Assert.Equal(HttpStatusCode.OK, file.StatusCode);
        Assert.NotNull(JsonNode.Parse(await file.Content.ReadAsStringAsync(Ct))!["items"]);
        Assert.True(file.Headers.CacheControl!.NoStore);
        Assert.Equal("attachment", file.Content.Headers.ContentDisposition!.DispositionType);
    }

    [Fact]
    public async Task Whether_there_is_a_file_is_told_without_it()
    {
        using var client = await web.SignedInAsync();
        using var head = new HttpRequestMessage(HttpMethod.Head, Address);

        using var told = await client.SendAsync(head, Ct);

        Assert.Equal(HttpStatusCode.OK, told.StatusCode);
        Assert.Empty(await told.Content.ReadAsByteArrayAsync(Ct));
    }

    [Fact]
    public async Task Nobody_else_gets_it()
    {
        using var client = web.SignedOut();

        using var file = await client.GetAsync(Address, Ct);

        Assert.StartsWith("/sign-in", file.Headers.Location!.PathAndQuery, StringComparison.Ordinal);
    }
}

using System.Net;
using System.Text.RegularExpressions;
using Xunit;

namespace Tests.Unit.Web;

/// <summary>The application as it starts.</summary>
public sealed partial class WebHostTests(WebHost web) : IClassFixture<WebHost>, IAsyncLifetime
{
    private HttpClient _client = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _client = await web.SignedInAsync();

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return default;
    }

    [Theory]
    [InlineData("/health")]
    [InlineData("/alive")]
    public async Task It_is_healthy_without_the_api_and_for_everybody(string path)
    {
        using var nobody = web.SignedOut();
        Assert.Equal(HttpStatusCode.OK, (await nobody.GetAsync(path, Ct)).StatusCode);
    }

    [Fact]
    public async Task The_root_is_a_page_of_its_own() =>
        Assert.Equal(HttpStatusCode.OK, (await _client.GetAsync("/", Ct)).StatusCode);

    [Fact]
    public async Task An_unknown_address_is_said_to_be_unknown()
    {
        var response = await _client.GetAsync("/nothing/here", Ct);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Contains(
            "There is no such page", await response.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Everything_a_page_loads_is_its_own_and_there()
    {
        var html = await _client.GetStringAsync("/customers", Ct);

        var assets = Asset().Matches(html).Select(match => match.Groups[1].Value).Where(asset => asset is not "/")
            .ToList();
        Assert.Contains(assets,
            asset => asset.Contains("MudBlazor", StringComparison.Ordinal)
                && asset.EndsWith(".css", StringComparison.Ordinal));
        foreach (var asset in assets)
        {
            Assert.False(
                Uri.TryCreate(asset, UriKind.Absolute, out _) || asset.StartsWith("//", StringComparison.Ordinal),
                $"{asset} is someone else's.");
            Assert.Equal((asset, HttpStatusCode.OK),
                (asset, (await _client.GetAsync("/" + asset.TrimStart('/'), Ct)).StatusCode));
        }
    }

    [Theory]
    [InlineData("theme=dark", "dark")]
    [InlineData("theme=\"><script>", "system")]
    [InlineData("other=1", "system")]
    public async Task The_document_has_the_theme_that_was_chosen(string cookie, string theme)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/sign-in") { Headers = { { "Cookie", cookie } } };

        using var nobody = web.SignedOut();
        using var response = await nobody.SendAsync(request, Ct);

        Assert.Contains(
            $"data-theme=\"{theme}\"", await response.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
    }

    [GeneratedRegex("(?:href|src)=\"([^\"]+)\"")]
    private static partial Regex Asset();
}

using System.Net;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Web.Shell;
using Xunit;

namespace Tests.Unit.Web;

/// <summary>The console as it starts, before an API that knows one key.</summary>
public sealed partial class WebHost : IDisposable
{
    public const string Key = "tko_abc_secret";

    private readonly FakeApi _api = new()
    {
        Answer = request => request.Headers.Authorization?.Parameter switch
        {
            Key => FakeApi.Page(),
            "tkc_abc_secret" => new(HttpStatusCode.Forbidden),
            _ => new(HttpStatusCode.Unauthorized),
        },
    };

    private readonly WebApplicationFactory<App> _root = new();

    public WebHost() => Factory = Configured(_ => { });

    public WebApplicationFactory<App> Factory { get; }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Another one, with these settings.</summary>
    public WebApplicationFactory<App> Configured(Action<IWebHostBuilder> configure) =>
        _root.WithWebHostBuilder(host =>
        {
            host.ConfigureServices(services => services.ConfigureHttpClientDefaults(http =>
                http.ConfigurePrimaryHttpMessageHandler(() => new Shared(_api))));
            host.UseSetting("services:api:http:0", "http://api.test");
            configure(host);
        });

    /// <summary>A browser in which nobody has signed in; it follows no redirects.</summary>
    public HttpClient SignedOut() => Factory.CreateClient(new() { AllowAutoRedirect = false });

    /// <summary>A browser of an operator.</summary>
    public async Task<HttpClient> SignedInAsync()
    {
        var client = SignedOut();
        using var answer = await SignInAsync(client, Key);
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        return client;
    }

    /// <summary>Sends the form with that key.</summary>
    public static async Task<HttpResponseMessage> SignInAsync(HttpClient client, string key, string query = "")
    {
        var address = "/sign-in" + query;
        using var form = new FormUrlEncodedContent([
            new("__RequestVerificationToken", Token().Match(await client.GetStringAsync(address, Ct)).Groups[1].Value),
            new("_handler", "sign-in"), new("Key", key)]);
        return await client.PostAsync(address, form, Ct);
    }

    public void Dispose()
    {
        Factory.Dispose();
        _root.Dispose();
        _api.Dispose();
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\"[^>]*value=\"([^\"]+)\"")]
    private static partial Regex Token();

    /// <summary>Leaves the API alone when the factory disposes of a client.</summary>
    private sealed class Shared(FakeApi api) : HttpMessageHandler
    {
        private readonly HttpMessageInvoker _api = new(api, disposeHandler: false);

        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken) =>
                _api.SendAsync(request, cancellationToken);

        protected override void Dispose(bool disposing)
        {
            _api.Dispose();
            base.Dispose(disposing);
        }
    }
}

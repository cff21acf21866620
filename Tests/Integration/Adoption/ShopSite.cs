using System.Net.Http.Json;
using System.Security.Claims;
using System.Text.Encodings.Web;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tenancy;
using Tenancy.AspNetCore;
using Xunit;

namespace Tests.Integration.Adoption;

/// <summary>A site of the shop's, in this process, with the tenants acme and globex.</summary>
internal sealed class ShopSite : IAsyncDisposable
{
    private ShopSite(WebApplication application) => Application = application;

    public WebApplication Application { get; }

    public Tenants Tenants => Application.Services.GetRequiredService<Tenants>();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <param name="app">Has the server.</param>
    /// <param name="tenancy">Contexts and resolution; the registry is the built-in one.</param>
    /// <param name="services">The application's own.</param>
    /// <param name="routes">Its endpoints, after <c>UseTenants</c>.</param>
    /// <param name="environment">Development unless another is named.</param>
    public static async Task<ShopSite> StartAsync(
        App app, Action<TenancyBuilder> tenancy, Action<WebApplication> routes,
        Action<WebApplicationBuilder>? services = null, string environment = "Development")
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = environment });
        builder.WebHost.UseTestServer();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(
            [new("ConnectionStrings:shop", await app.Server.ConnectionStringAsync(Ct))]);
        services?.Invoke(builder);
        builder.AddTenancy("shop", it => tenancy(it.UseBuiltInRegistry()));
        var application = builder.Build();
        application.UseTenants();
        routes(application);
        var site = new ShopSite(application);
        await site.Tenants.MigrateAsync(Ct);
        await site.Tenants.CreateAsync("acme", Ct);
        await site.Tenants.CreateAsync("globex", Ct);
        await application.StartAsync(Ct);
        return site;
    }

    public HttpClient Client(params (string Name, string Value)[] headers)
    {
        var client = Application.GetTestClient();
        foreach (var (name, value) in headers)
        {
            client.DefaultRequestHeaders.TryAddWithoutValidation(name, value);
        }

        return client;
    }

    /// <returns>Status and, of a problem, its detail, else the text.</returns>
    public async Task<(int Status, string Text)> GetAsync(string path, params (string Name, string Value)[] headers)
    {
        using var client = Client(headers);
        using var answer = await client.GetAsync(path, Ct);
        var text = answer.Content.Headers.ContentType?.MediaType == "application/problem+json"
            ? (string)(await answer.Content.ReadFromJsonAsync<JsonObject>(Ct))!["detail"]!
            : await answer.Content.ReadAsStringAsync(Ct);
        return ((int)answer.StatusCode, text);
    }

    public ValueTask DisposeAsync() => Application.DisposeAsync();
}

/// <summary>Signs in whom two headers name: X-User, and X-Claim with the shop.</summary>
internal sealed class HeaderSignIn(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory log, UrlEncoder encoder)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, log, encoder)
{
    public const string Name = "header";

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Request.Headers["X-User"] is not [{ } user])
        {
            return Task.FromResult(AuthenticateResult.NoResult());
        }

        Claim[] claims = [new(ClaimTypes.Name, user), .. Request.Headers["X-Claim"].Select(shop => new Claim("shop", shop!))];
        return Task.FromResult(AuthenticateResult.Success(new(new(new ClaimsIdentity(claims, Name)), Name)));
    }
}

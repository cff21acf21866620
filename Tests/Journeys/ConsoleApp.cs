using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using Deque.AxeCore.Playwright;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;
using Tests.Integration;
using Tests.Integration.Customers;
using Xunit;

namespace Tests.Journeys;

/// <summary>
/// The console and the API behind it, in this process, over a database of their own; a browser opens the console's
/// pages. All journeys share it, one after the other, and each makes customers of its own, whose slugs nobody else has.
/// </summary>
/// <remarks>
/// <code>
/// [Collection(ConsoleApp.Journeys)]
/// public sealed class ContactsJourney(ConsoleApp console) : IClassFixture&lt;ConsoleApp&gt;
///
/// var acme = await console.CustomerAsync();                   // over the API
/// await using var tab = await console.OpenAsync($"/customers/{acme}/contacts");     // signed in
/// await tab.Page.GetByRole(AriaRole.Button, new() { Name = "New contact" }).ClickAsync();
/// await tab.Page.GetByLabel("Name").FillAsync("Ada");
/// await Assertions.Expect(tab.Page.GetByRole(AriaRole.Row, new() { Name = "Ada" })).ToBeVisibleAsync();
/// await tab.CheckAsync();                                     // axe, and no error in the browser's console
/// </code>
/// </remarks>
public sealed class ConsoleApp(App app, Browser browser) : IAsyncLifetime
{
    /// <summary>
    /// The collection of all journeys. Some of them migrate, halt or take back all customers of the database, and a
    /// journey of one customer must not meet that: one runs after the other.
    /// </summary>
    public const string Journeys = "Journeys";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private RunningConsole Running => app.Keep(() => new RunningConsole(app, browser));

    /// <summary>The owner's.</summary>
    public string ConnectionString => Running.ConnectionString;

    /// <summary>The API, as the first operator.</summary>
    public HttpClient Api => Running.Api;

    /// <summary>Where the console is.</summary>
    public Uri Address => Running.Address;

    /// <summary>The API's, for a test that lowers a limit.</summary>
    internal Tenancy.TenancyOptions Options => Running.Options;

    public async ValueTask InitializeAsync() => await Running.StartedAsync();

    public ValueTask DisposeAsync() => default;

    /// <summary>Makes a customer.</summary>
    /// <param name="name">Null for the slug.</param>
    /// <returns>Its slug.</returns>
    public async Task<string> CustomerAsync(string? name = null)
    {
        var slug = App.NewSlug();
        using var made = await Api.PostAsJsonAsync("/customers", new { slug, name = name ?? slug }, Ct);
        Assert.True(made.IsSuccessStatusCode, await made.Content.ReadAsStringAsync(Ct));
        return slug;
    }

    /// <summary>Opens a page in a window of its own, signed in.</summary>
    /// <param name="path">With its query.</param>
    /// <param name="width">CSS pixels.</param>
    /// <param name="dark">What the reader's system has.</param>
    /// <param name="locale">The browser's language.</param>
    /// <param name="zone">Its time zone.</param>
    public async Task<Tab> OpenAsync(
        string path, int width = 1400, bool dark = false, string locale = "en-GB", string zone = "UTC")
    {
        var tab = await OpenSignedOutAsync("/sign-in", width, dark, locale, zone);
        await tab.Page.Context.AddCookiesAsync(Running.Session);
        await tab.GoAsync(path);
        return tab;
    }

    /// <summary>Opens a page of another console, signed in there.</summary>
    /// <param name="other">Which.</param>
    /// <param name="path">With its query.</param>
    /// <param name="at">Null for the other console's own address.</param>
    internal async Task<Tab> OpenInAsync(OtherConsole other, string path, Uri? at = null)
    {
        var tab = new Tab(await browser.NewPageAsync(1400, 900), at ?? other.Address);
        await tab.Page.Context.AddCookiesAsync(await Running.SignInAsync(other.Address));
        await tab.GoAsync(path);
        return tab;
    }

    /// <summary>Starts a second console over the same API, which a test may take away from it.</summary>
    /// <param name="configure">What this console has of its own; null for nothing.</param>
    internal OtherConsole Another(Action<IServiceCollection>? configure = null)
    {
        var gate = new ApiGate();
        var web = Running.StartWeb(inner => new ApiGate.Handler(gate, inner), configure);
        return new(web, gate);
    }

    /// <summary>Starts a console over another API.</summary>
    internal static OtherConsole Over(WebApplicationFactory<Api.Paging> api)
    {
        var gate = new ApiGate();
        return new(RunningConsole.StartWeb(() => new ApiGate.Handler(gate, api.Server.CreateHandler()), null), gate);
    }

    /// <summary>Opens a page in a window of its own in which nobody has signed in.</summary>
    /// <inheritdoc cref="OpenAsync"/>
    public async Task<Tab> OpenSignedOutAsync(
        string path, int width = 1400, bool dark = false, string locale = "en-GB", string zone = "UTC")
    {
        var tab = new Tab(await browser.NewPageAsync(width, 900, dark, locale, zone), Address);
        await tab.GoAsync(path);
        return tab;
    }

    /// <summary>Fills in and sends the form that is shown.</summary>
    public static async Task SignInAsync(IPage page, string key)
    {
        await page.GetByLabel("Operator's API key").FillAsync(key);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in", Exact = true }).ClickAsync();
    }
}

/// <summary>The one console of all journeys, started by the first.</summary>
internal sealed class RunningConsole(App app, Browser browser) : IAsyncDisposable
{
    private readonly SemaphoreSlim _starting = new(1);
    private WebApplicationFactory<Api.Paging>? _api;
    private WebApplicationFactory<Web.Shell.App>? _web;

    public string ConnectionString { get; private set; } = "";

    public HttpClient Api { get; private set; } = null!;

    public Uri Address { get; private set; } = null!;

    public Tenancy.TenancyOptions Options => _api!.Services.GetRequiredService<Tenancy.TenancyOptions>();

    /// <summary>The cookies of an operator who has signed in.</summary>
    public IReadOnlyList<Microsoft.Playwright.Cookie> Session { get; private set; } = [];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        if (_web is not null)
        {
            await _web.DisposeAsync();
        }

        if (_api is not null)
        {
            await _api.DisposeAsync();
        }

        _starting.Dispose();
    }

    public async Task StartedAsync()
    {
        await _starting.WaitAsync(Ct);
        try
        {
            if (Session.Count == 0)
            {
                await StartAsync();
            }
        }
        finally
        {
            _starting.Release();
        }
    }

    private async Task StartAsync()
    {
        // A busy machine takes longer than Playwright's five seconds.
        Assertions.SetDefaultExpectTimeout(90_000);
        ConnectionString = await app.Server.ConnectionStringAsync(Ct) + ";Maximum Pool Size=8;Timeout=15";
        await CustomersDatabase.MigrateAsync(ConnectionString);
        var serving = await app.Server.AddTenantsLoginAsync(ConnectionString, Ct);
        _api = new ApiFactory().WithWebHostBuilder(host => host
            .UseEnvironment("Development")
            .UseSetting("ConnectionStrings:tenants", ConnectionString)
            .UseSetting("ConnectionStrings:tenantsApi", serving)
            .ConfigureLogging(logging => logging.ClearProviders()));
        Api = _api.CreateClient();
        _web = StartWeb(inner => inner, configure: null);
        Address = AddressOf(_web);
        Session = await SignInAsync(Address);
    }

    /// <summary>Starts a console over the API.</summary>
    /// <param name="wrap">Makes the handler of its calls from the one that calls the API.</param>
    /// <param name="configure">What this console has of its own; null for nothing.</param>
    public WebApplicationFactory<Web.Shell.App> StartWeb(
        Func<HttpMessageHandler, HttpMessageHandler> wrap, Action<IServiceCollection>? configure)
    {
        var server = _api!.Server;
        return StartWeb(() => wrap(server.CreateHandler()), configure);
    }

    /// <summary>Starts a console.</summary>
    /// <param name="calls">Makes the handler of its calls to an API.</param>
    /// <param name="configure">What this console has of its own; null for nothing.</param>
    public static WebApplicationFactory<Web.Shell.App> StartWeb(
        Func<HttpMessageHandler> calls, Action<IServiceCollection>? configure)
    {
        var web = new WebApplicationFactory<Web.Shell.App>().WithWebHostBuilder(host => host
            .UseEnvironment("Development")
            .UseSetting("services:api:http:0", "http://localhost")
            .ConfigureLogging(logging => logging.ClearProviders())
            .ConfigureServices(services =>
            {
                services.ConfigureHttpClientDefaults(client =>
                    client.ConfigurePrimaryHttpMessageHandler(calls));
                configure?.Invoke(services);
            }));
        web.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        web.StartServer();
        return web;
    }

    /// <summary>Signs in as the first operator.</summary>
    /// <returns>The cookies of the session.</returns>
    public async Task<IReadOnlyList<Microsoft.Playwright.Cookie>> SignInAsync(Uri address)
    {
        var page = await browser.NewPageAsync();
        await page.GotoAsync(new Uri(address, "/sign-in").ToString());
        await ConsoleApp.SignInAsync(page, ApiFactory.OperatorKey);
        await page.ToHaveLeftAsync("sign-in");
        var cookies = await CookiesAsync(page);
        await page.Context.CloseAsync();
        return cookies;
    }

    /// <summary>Where a console listens.</summary>
    public static Uri AddressOf(WebApplicationFactory<Web.Shell.App> web) =>
        new(web.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    /// <summary>The cookies of a window, for another one.</summary>
    public static async Task<IReadOnlyList<Microsoft.Playwright.Cookie>> CookiesAsync(IPage page) =>
        [.. (await page.Context.CookiesAsync()).Select(cookie => new Microsoft.Playwright.Cookie
        {
            Name = cookie.Name, Value = cookie.Value, Domain = cookie.Domain, Path = cookie.Path,
        })];
}

/// <summary>A window of the browser.</summary>
public sealed class Tab : IAsyncDisposable
{
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly Uri _address;

    internal Tab(IPage page, Uri address)
    {
        (Page, _address) = (page, address);
        // A script that the content security policy stops is told here, too.
        page.Console += (_, message) =>
        {
            if (message.Type == "error")
            {
                _errors.Enqueue(message.Text);
            }
        };
        page.PageError += (_, error) => _errors.Enqueue(error);
    }

    public IPage Page { get; }

    /// <summary>Goes there and waits until the page has been drawn.</summary>
    public async Task GoAsync(string path)
    {
        await Page.GotoAsync(new Uri(_address, path).ToString());
        await Page.Locator("h1").First.WaitForAsync();
    }

    /// <summary>Waits until nothing of the page is being loaded: what comes later may move a button.</summary>
    /// <remarks>A bar of something that goes on is busy as long as that does.</remarks>
    public Task SettledAsync() =>
        Assertions.Expect(Page.Locator("[aria-busy=true]:not([role=progressbar])")).ToHaveCountAsync(0);

    /// <summary>
    /// Nothing on the page hinders anybody, as far as axe can tell, nothing went wrong in the browser, the page is no
    /// wider than the window, and no panel cuts off what is in it.
    /// </summary>
    /// <param name="quiet">False where the browser has something to say, for example while it is cut off.</param>
    public async Task CheckAsync(bool quiet = true)
    {
        // After a reload there is nothing at first, which isn't busy either.
        await Page.Locator("h1").First.WaitForAsync();
        await SettledAsync();
        var found = await Page.RunAxe();
        Assert.True(found.Violations.Length == 0, string.Join('\n', found.Violations.Select(violation =>
            $"{Page.Url}: {violation.Id}: {violation.Help}: " +
            string.Join(" | ", violation.Nodes.Select(node => $"{node.Html} " +
                string.Join(' ', node.All.Concat(node.Any).Select(check => check.Message)))))));
        if (quiet)
        {
            Assert.Empty(_errors);
        }

        Assert.Equal($"{Page.Url} fits", await Page.EvaluateAsync<string>(
            """
            (() => {
              const width = document.documentElement.scrollWidth;
              const wide = [...document.querySelectorAll('body *')]
                .find(e => e.getBoundingClientRect().right > innerWidth + 1);
              if (width > innerWidth) {
                return `${location.href} is ${width} px wide: ${wide?.outerHTML.slice(0, 200)}`;
              }
              // A panel hides what is too wide for it: nobody would see the end of a row.
              const cut = [...document.querySelectorAll('.panel')].find(e => e.scrollWidth > e.clientWidth + 1);
              const right = cut?.getBoundingClientRect().right;
              const out = cut && [...cut.querySelectorAll('*')].find(e => e.getBoundingClientRect().right > right + 1);
              return cut ? `${location.href} is cut off: ${out?.outerHTML.slice(0, 200)}` : `${location.href} fits`;
            })()
            """));
    }

    /// <summary>What the browser has said since, which a test expected.</summary>
    public IReadOnlyList<string> TakeErrors()
    {
        var errors = _errors.ToArray();
        _errors.Clear();
        return errors;
    }

    public async ValueTask DisposeAsync() => await Page.Context.CloseAsync();
}

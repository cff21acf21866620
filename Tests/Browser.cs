using Microsoft.Playwright;
using Tests;
using Xunit;

[assembly: AssemblyFixture(typeof(Browser))]

namespace Tests;

/// <summary>A headless Chromium, one for all tests, started when the first test opens a page.</summary>
public sealed class Browser : IAsyncDisposable
{
    /// <summary>Names the browser's executable where it is in none of the usual places.</summary>
    private const string Variable = "CHROMIUM";

    // A browser starts by calling its maker's servers. In a closed network each of these calls is one long time-out.
    private static readonly string[] Arguments =
    [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync",
    ];

    private readonly SemaphoreSlim _starting = new(1);
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>Opens a window without cookies. The test is skipped where no browser is installed.</summary>
    /// <param name="width">CSS pixels.</param>
    /// <param name="height">CSS pixels.</param>
    /// <param name="dark">What the reader's system has.</param>
    /// <param name="locale">The browser's language.</param>
    /// <param name="zone">Its time zone.</param>
    public async Task<IPage> NewPageAsync(
        int width = 1440, int height = 900, bool dark = false, string locale = "en-GB", string zone = "UTC")
    {
        var browser = await StartedAsync();
        // A context of its own, so that it may open further windows with the same cookies.
        var window = await browser.NewContextAsync(new()
        {
            ViewportSize = new() { Width = width, Height = height },
            ColorScheme = dark ? ColorScheme.Dark : ColorScheme.Light,
            Locale = locale,
            TimezoneId = zone,
            // What is half faded in has another contrast.
            ReducedMotion = ReducedMotion.Reduce,
            IgnoreHTTPSErrors = true,
        });
        var page = await window.NewPageAsync();
        page.SetDefaultTimeout(90_000);
        page.SetDefaultNavigationTimeout(90_000);
        return page;
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
        _starting.Dispose();
    }

    private async Task<IBrowser> StartedAsync()
    {
        var executable = Find();
        Assert.SkipWhen(executable is null,
            $"No Chromium was found: install it (apt-get install chromium), or name its executable in {Variable}.");
        await _starting.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            _playwright ??= await Playwright.CreateAsync();
            return _browser ??= await _playwright.Chromium.LaunchAsync(
                new() { ExecutablePath = executable, Args = Arguments });
        }
        finally
        {
            _starting.Release();
        }
    }

    private static string? Find()
    {
        string[] folders = [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator),
            "/Applications/Google Chrome.app/Contents/MacOS"];
        string[] names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome.exe",
            "msedge.exe", "Google Chrome"];
        return names.SelectMany(name => folders.Select(folder => Path.Combine(folder, name)))
            .Prepend(Environment.GetEnvironmentVariable(Variable))
            .FirstOrDefault(File.Exists);
    }
}

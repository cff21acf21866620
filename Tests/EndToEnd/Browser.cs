using Microsoft.Playwright;
using Xunit;

namespace Tests.EndToEnd;

/// <summary>A headless Chromium, as a user's browser sees a page. One per test class that needs it.</summary>
public sealed class Browser : IAsyncLifetime
{
    /// <summary>The environment variable that names the browser's executable where it is in none of the usual places.</summary>
    private const string Variable = "CHROMIUM";

    // Without these a browser starts by looking for its maker's servers, which a closed network answers one time-out at a time.
    private static readonly string[] Arguments =
    [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ];

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async ValueTask InitializeAsync()
    {
        if (Find() is not { } executable)
        {
            return;
        }

        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = executable, Args = Arguments });
    }

    /// <summary>A new window without a past. The test is skipped where no browser is installed.</summary>
    /// <param name="width">CSS pixels.</param>
    /// <param name="height">CSS pixels.</param>
    public async Task<IPage> NewPageAsync(int width = 1440, int height = 900)
    {
        Assert.SkipWhen(_browser is null, $"No Chromium was found: install it (apt-get install chromium), or name its executable in {Variable}.");
        var page = await _browser!.NewPageAsync(new()
        {
            ViewportSize = new() { Width = width, Height = height },
            ColorScheme = ColorScheme.Light,
            Locale = "en-GB",
            TimezoneId = "UTC",
            IgnoreHTTPSErrors = true,
        });
        page.SetDefaultTimeout(60_000);
        return page;
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
    }

    private static string? Find()
    {
        string[] folders = [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator), "/Applications/Google Chrome.app/Contents/MacOS"];
        string[] names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome.exe", "msedge.exe", "Google Chrome"];
        string?[] candidates =
        [
            Environment.GetEnvironmentVariable(Variable),
            .. from name in names from folder in folders select Path.Combine(folder, name),
        ];
        return candidates.FirstOrDefault(File.Exists);
    }
}

using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Tests.Journeys;

/// <summary>The console without a mouse.</summary>
[Collection(ConsoleApp.Journeys)]
public sealed class KeyboardJourney(ConsoleApp console) : IClassFixture<ConsoleApp>
{
    /// <summary>
    /// What has the focus, and whether one sees it: an outline, also around the row of a link that covers it, or the
    /// thick border of a field.
    /// </summary>
    private const string Focused =
        """
        () => {
          const it = document.activeElement;
          if (!it || it === document.body) return null;
          const isOutlined = style => style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
          const border = it.closest('.mud-input')?.querySelector('.mud-input-outlined-border');
          const isSeen = isOutlined(getComputedStyle(it)) || isOutlined(getComputedStyle(it, '::after'))
            || isOutlined(getComputedStyle(it.parentElement))
            || (border && parseFloat(getComputedStyle(border).borderTopWidth) >= 2);
          const box = it.getBoundingClientRect();
          const name = it.getAttribute('aria-label') ?? (it.labels?.[0]?.textContent ?? it.textContent);
          return `${isSeen && box.width > 0 ? '' : 'NOT SEEN '}${it.tagName.toLowerCase()} ${name.trim()}`;
        }
        """;

    [Theory]
    [InlineData("/customers?search={0}", "a Skip to content", "a Customers", "button Search", "button New customer",
        "input Search", "input Select {0}")]
    [InlineData("/customers/{0}/settings", "a Skip to content", "a Operations", "input Name", "input Ring",
        "button Suspend…", "button Export", "button Make a token", "button Delete this customer")]
    [InlineData("/migrations", "a Skip to content", "a Tasks", "button Refresh", "button Compare now")]
    public async Task Each_control_is_reached_in_reading_order_and_the_focus_is_seen(string path, params string[] order)
    {
        var slug = await console.CustomerAsync();
        await using var tab = await console.OpenAsync(path.Replace("{0}", slug, StringComparison.Ordinal));
        var page = tab.Page;
        await tab.CheckAsync();
        await page.EvaluateAsync("() => document.activeElement.blur()");

        var reached = new List<string>();
        while (reached.Count < 100)
        {
            await page.Keyboard.PressAsync("Tab");
            var focused = await FocusedAsync(page);
            if (focused is null || (reached.Count > 0 && focused == reached[0]))
            {
                break;
            }

            reached.Add(string.Join(' ', focused.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)));
        }

        Assert.DoesNotContain(reached, one => one.StartsWith("NOT SEEN", StringComparison.Ordinal));
        var at = -1;
        foreach (var name in order.Select(name => name.Replace("{0}", slug, StringComparison.Ordinal)))
        {
            var next = reached.FindIndex(at + 1, one => one.StartsWith(name, StringComparison.Ordinal));
            Assert.True(next > at, $"'{name}' doesn't follow in:\n{string.Join('\n', reached)}");
            at = next;
        }
    }

    /// <summary>The border of a field takes a moment to grow.</summary>
    private static async Task<string?> FocusedAsync(IPage page)
    {
        var focused = await page.EvaluateAsync<string?>(Focused);
        for (var more = 20; more > 0 && focused?.StartsWith("NOT SEEN", StringComparison.Ordinal) is true; more--)
        {
            await page.WaitForTimeoutAsync(50);
            focused = await page.EvaluateAsync<string?>(Focused);
        }

        return focused;
    }

    [Fact]
    public async Task Escape_closes_what_was_opened_and_the_focus_is_where_it_was()
    {
        var slug = await console.CustomerAsync();
        await using var tab = await console.OpenAsync("/customers");
        var page = tab.Page;
        var dialogs = page.Locator("[role=dialog]:visible, dialog[open]");
        await OpensAsync("/customers", "New customer");
        await OpensAsync("/customers", "Import");
        await OpensAsync($"/customers/{slug}/settings", "Suspend…");
        await OpensAsync($"/customers/{slug}/settings", "Clone…");
        await OpensAsync($"/customers/{slug}/keys", "Create the first key");
        await OpensAsync($"/customers/{slug}/invoices", "Import CSV");
        await OpensAsync("/migrations", "Migrate…");
        await OpensAsync("/migrations", "Search");

        async Task OpensAsync(string path, string name)
        {
            await tab.GoAsync(path);
            var button = page.GetByRole(AriaRole.Button, new() { Name = name, Exact = name != "Search" });
            // One that is disabled until its page is loaded doesn't take the focus.
            await Expect(button).ToBeEnabledAsync();
            await button.FocusAsync();
            await page.Keyboard.PressAsync("Enter");
            await Expect(dialogs).ToHaveCountAsync(1);
            await Eventually.HoldsAsync(() => page.EvaluateAsync<bool>(
                "() => !!document.activeElement.closest('[role=dialog], dialog[open]')"), $"{name} has the focus");
            await page.Keyboard.PressAsync("Escape");
            await Expect(dialogs).ToHaveCountAsync(0);
            await Expect(button).ToBeFocusedAsync();
        }
    }

    [Fact]
    public async Task The_focus_is_never_lost_with_what_had_it()
    {
        var slug = await console.CustomerAsync();
        await using var tab = await console.OpenAsync($"/customers?search={slug}");
        var page = tab.Page;
        await page.GetByLabel($"Select {slug}").CheckAsync();
        await page.GetByRole(AriaRole.Region, new() { Name = "Selected customers" })
            .GetByRole(AriaRole.Button, new() { Name = "Clear" }).FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByLabel("Select all customers on this page")).ToBeFocusedAsync();

        await page.Keyboard.PressAsync("Control+k");
        var search = page.GetByRole(AriaRole.Combobox, new() { Name = "Customer or page" });
        await Expect(search).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Tab");
        await Expect(search).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Escape");
        await Expect(page.GetByLabel("Select all customers on this page")).ToBeFocusedAsync();

        await tab.GoAsync($"/customers/{slug}/invoices/new");
        var descriptions = page.GetByLabel("Description");
        await tab.SettledAsync();
        // In one step: a page that has just come moves the focus to its heading.
        await page.GetByRole(AriaRole.Button, new() { Name = "Add a line" }).PressAsync("Enter");
        await Expect(descriptions.Nth(1)).ToBeFocusedAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Remove line 2" }).PressAsync("Enter");
        await Expect(descriptions).ToHaveCountAsync(1);
        await Expect(descriptions).ToBeFocusedAsync();
    }

    [Theory]
    [InlineData("Account", "Sign out")]
    [InlineData("Colour theme", "Dark")]
    public async Task A_menu_closes_on_Escape_and_the_focus_is_on_its_button(string menu, string item)
    {
        await using var tab = await console.OpenAsync("/customers");
        var page = tab.Page;
        var button = page.GetByRole(AriaRole.Button, new() { Name = menu, Exact = true });
        var choice = page.GetByRole(AriaRole.Menuitem, new() { Name = item });

        await button.ClickAsync();
        await Expect(choice).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Escape");
        await Expect(choice).ToBeHiddenAsync();
        await Expect(button).ToBeFocusedAsync();

        await page.Keyboard.PressAsync("Enter");
        await Expect(choice).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("ArrowDown");
        await page.Keyboard.PressAsync("Escape");
        await Expect(choice).ToBeHiddenAsync();
        await Expect(button).ToBeFocusedAsync();
    }

    [Fact]
    public async Task A_key_that_is_shown_once_is_not_closed_by_escape()
    {
        var slug = await console.CustomerAsync();
        await using var tab = await console.OpenAsync($"/customers/{slug}/keys");
        var page = tab.Page;
        await page.GetByRole(AriaRole.Button, new() { Name = "Create the first key" }).ClickAsync();
        await page.GetByLabel("Purpose").FillAsync("till");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByLabel("The key till")).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Done" }).FocusAsync();
        await page.Keyboard.PressAsync("Escape");
        await page.Keyboard.PressAsync("Shift+Tab");

        await Expect(page.GetByLabel("The key till")).ToBeVisibleAsync();
    }
}

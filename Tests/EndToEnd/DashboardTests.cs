using System.Net;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Playwright;
using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.EndToEnd;

/// <summary>One system with its dashboard, for all tests of this class: a start takes ten seconds.</summary>
public sealed class SystemWithDashboard(Integration.App app) : IAsyncLifetime
{
    private ThrowawayData? _data;

    public RunningApp Running { get; private set; } = null!;

    public ConsoleLines Console { get; } = new();

    public async ValueTask InitializeAsync()
    {
        _data = await ThrowawayData.CreateAsync(app.Server, TestContext.Current.CancellationToken);
        Running = await RunningApp.StartAsync(_data.Arguments, dashboard: true, Console);
        await Running.HealthyAsync("web");
        await Running.HealthyAsync("api");
    }

    public async ValueTask DisposeAsync()
    {
        if (Running is not null)
        {
            await Running.DisposeAsync();
        }

        if (_data is not null)
        {
            await _data.DisposeAsync();
        }
    }
}

/// <summary>The dashboard as control panel: what an operator sees on the resources, and what the commands do.</summary>
public sealed class DashboardTests(
    SystemWithDashboard system, Browser browser) : IClassFixture<SystemWithDashboard>, IAsyncDisposable
{
    private static readonly TimeSpan EmptyPage = TimeSpan.FromSeconds(30);

    private IPage? _page;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private RunningApp Running => system.Running;

    [Fact]
    public async Task The_dashboard_answers_and_its_resources_have_names_icons_and_commands()
    {
        using var http = new HttpClient();
        using var page = await http.GetAsync(await Running.DashboardAsync(), Ct);
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);

        var api = await Running.SeenAsync("api", seen => seen.Urls.Length == 3);
        Assert.Equal(
            ["API", "API reference", "Health"], api.Urls.Select(url => url.DisplayProperties.DisplayName).Order());
        var web = await Running.SeenAsync("web", seen => seen.Urls.Length == 2);
        Assert.Equal(["Console", "Health"], web.Urls.Select(url => url.DisplayProperties.DisplayName).Order());
        Assert.Equal(("PlugConnected", "Desktop"), (api.IconName, web.IconName));

        var migrations = await Running.SeenAsync("migrations", seen => seen.ExitCode == 0);
        Assert.Equal(
            new Dictionary<string, ResourceCommandState>
            {
                ["status"] = ResourceCommandState.Enabled, ["plan"] = ResourceCommandState.Enabled,
                ["retry"] = ResourceCommandState.Enabled,
                ["verify"] = ResourceCommandState.Enabled, ["halt"] = ResourceCommandState.Disabled,
                ["start"] = ResourceCommandState.Enabled,
            },
            migrations.Commands.Where(command =>
                command.Name is "status" or "plan" or "retry" or "verify" or "halt" or "start")
                .ToDictionary(command => command.Name, command => command.State));
    }

    [Fact]
    public async Task The_reports_are_tables_that_open_at_once()
    {
        var status = await Running.CommandAsync("migrations", "status");
        var plan = await Running.CommandAsync("migrations", "plan");

        Assert.True(status.Success, status.Message);
        Assert.Equal((CommandResultFormat.Markdown, true), (status.Data!.Format, status.Data.DisplayImmediately));
        Assert.Contains(
            "| ring | state | last migration | version | schemas |", status.Data.Value, StringComparison.Ordinal);
        Assert.True(plan.Success, plan.Message);
        Assert.Equal(CommandResultFormat.Markdown, plan.Data!.Format);
    }

    [Fact]
    public async Task A_new_customer_exists_afterwards_and_a_wrong_slug_is_refused_by_the_rule_of_the_API()
    {
        var slug = Integration.App.NewSlug();

        var created = await Running.CommandAsync("api", "new-customer", ("slug", slug), ("name", "Umbrella | Ltd"));
        var taken = await Running.CommandAsync("api", "new-customer", ("slug", slug), ("name", "Another"));
        var wrong = await Running.CommandAsync("api", "new-customer", ("slug", "Not a slug"), ("name", "Third"));

        Assert.True(created.Success, created.Message);
        Assert.Equal("Umbrella | Ltd", await ScalarAsync($"SELECT name FROM public.customers WHERE slug = '{slug}'"));
        Assert.Contains("is taken by another customer", taken.Message, StringComparison.Ordinal);
        Assert.False(wrong.Success);
        Assert.Equal(1L,
            await ScalarAsync(
                "SELECT count(*) FROM public.customers WHERE name IN ('Umbrella | Ltd', 'Another', 'Third')"));
    }

    [Fact]
    public async Task Demo_customers_are_added_once()
    {
        var again = await Running.CommandAsync("api", "demo");

        Assert.True(again.Success, again.Message);
        Assert.Equal("The demo customers exist already.", again.Message);
    }

    [Fact]
    public async Task Without_a_run_there_is_nothing_to_halt() =>
        Assert.Equal("No run is in progress.", (await Running.CommandAsync("migrations", "halt")).Message);

    [Fact]
    public async Task A_customer_that_failed_is_seen_on_the_job_until_a_retry_works()
    {
        Assert.SkipUnless(TestDepth.IsFull, "It starts the whole system: at full depth only.");
        var slug = Integration.App.NewSlug();
        Assert.True((await Running.CommandAsync("api", "new-customer", ("slug", slug), ("name", "To fail"))).Success);
        var schema = (string)(await ScalarAsync($"SELECT schema FROM public.customers WHERE slug = '{slug}'"))!;
        // As if no migration were applied: its tables are in the way.
        await ScalarAsync($"""
            DELETE FROM {schema}."__EFMigrationsHistory";
            UPDATE tenancy.schemas SET version = '{CompiledMigrations.Fingerprint([])}' WHERE schema = '{schema}'
            """);

        Assert.True((await Running.CommandAsync("migrations", "start")).Success);
        var failed = await Running.SeenAsync("migrations", seen => seen.State?.Text == "Done, 1 failed");
        var told = await system.Console.SaysAsync($"1 customer of");
        var retry = await Running.CommandAsync("migrations", "retry");

        Assert.Equal((0, KnownResourceStateStyles.Warn), (failed.ExitCode, failed.State!.Style));
        var named = failed.Properties.Single(property => property.Name == "Failed customers").Value?.ToString();
        Assert.Contains(schema, named, StringComparison.Ordinal);
        Assert.Equal(ResourceCommandState.Enabled, failed.Commands.Single(command => command.Name == "start").State);
        Assert.Contains($"{schema}: ", told, StringComparison.Ordinal);
        Assert.Contains("aspire resource migrations retry", told, StringComparison.Ordinal);
        Assert.False(retry.Success);
        Assert.Contains("42P07", retry.Data!.Value, StringComparison.Ordinal);
        var api = await Running.SeenAsync("api", seen => seen.HealthStatus == HealthStatus.Degraded);
        var health = api.HealthReports.Single(report => report.Name == "api_ready");
        Assert.Contains("fleet: ", health.Description, StringComparison.Ordinal);

        await ScalarAsync($"DROP TABLE {schema}.invoice_lines, {schema}.invoices, {schema}.contacts, " +
            $"{schema}.idempotency_keys, {schema}.settings");
        var mended = await Running.CommandAsync("migrations", "retry");

        Assert.True(mended.Success, mended.Message);
        Assert.Equal("ready", await ScalarAsync($"SELECT state FROM tenancy.schemas WHERE schema = '{schema}'"));
        var finished = await Running.SeenAsync("migrations", seen => seen.State?.Text == KnownResourceStates.Finished);
        Assert.Equal(0, finished.ExitCode);
    }

    [Fact]
    public async Task A_schema_that_was_altered_by_hand_makes_verify_fail_in_words()
    {
        var slug = Integration.App.NewSlug();
        Assert.True((await Running.CommandAsync("api", "new-customer", ("slug", slug), ("name", "To alter"))).Success);
        var schema = (string)(await ScalarAsync($"SELECT schema FROM public.customers WHERE slug = '{slug}'"))!;
        await ScalarAsync($"ALTER TABLE {schema}.invoices ADD by_hand int");

        var verify = await Running.CommandAsync("migrations", "verify");

        Assert.False(verify.Success);
        Assert.Equal("verify ended with exit code 1.", verify.Message);
        Assert.True(verify.Data!.DisplayImmediately);
        Assert.Contains(@"column invoices.by\_hand is in no migration", verify.Data.Value, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_browser_shows_every_resource_healthy()
    {
        var page = await OpenAsync();

        foreach (var (resource, state) in new[] { ("tenants", "Running"), ("migrations", "Finished"),
            ("api", "Running"), ("web", "Running") })
        {
            await page.GetByRole(AriaRole.Row).Filter(new() { Has = page.GetByText(resource, new() { Exact = true }) })
                .GetByText(state, new() { Exact = true }).First.WaitForAsync();
        }
    }

    [Fact]
    public async Task The_filter_for_one_customer_finds_its_creation_and_its_requests_and_nobody_elses()
    {
        var slug = await Running.CreateCustomerAsync(Integration.App.NewSlug());
        var other = await Running.CreateCustomerAsync(Integration.App.NewSlug());
        await Running.InvoicesAsync(slug);
        await Running.CreateInvoiceAsync(other, 1m);
        var page = await OpenAsync();

        await page.GotoAsync(new Uri(new(page.Url), $"/traces?filters=tenant.slug:equals:{slug}").ToString());
        await page.GetByText("api: POST /customers/").First.WaitForAsync();
        await page.GetByText("api: GET /invoices/").First.WaitForAsync();

        var traces = await page.GetByRole(AriaRole.Row).Filter(new() { HasText = "api" }).CountAsync();
        Assert.Equal(2, traces);
    }

    [Fact]
    public async Task The_filter_for_a_demo_customer_finds_the_run_that_created_it_and_the_attempt_to_create_it_again()
    {
        // Other tests of this class may have tried, too, and have run the job for other customers.
        await Running.CommandAsync("api", "demo");
        Assert.True((await Running.CommandAsync("migrations", "status")).Success);
        var page = await OpenAsync();

        await page.GotoAsync(new Uri(new(page.Url), "/traces?filters=tenant.slug:equals:acme").ToString());
        await page.GetByText("migrations: migrate").First.WaitForAsync();
        await page.GetByText("migrations: demo").First.WaitForAsync();

        var found = await page.GetByText("migrations: ").AllInnerTextsAsync();
        Assert.Equal(["migrations: demo", "migrations: migrate"], found.Select(name => name.Trim()).Distinct().Order());
        Assert.Single(found, name => name.Trim() == "migrations: migrate");
    }

    /// <summary>
    /// The dashboard, after its login. Opened again where it shows nothing for half a minute, as a user would: on a
    /// machine without a free processor Aspire's page was seen to stay empty until then.
    /// </summary>
    private async Task<IPage> OpenAsync()
    {
        _page = await browser.NewPageAsync();
        for (var tries = 1; ; tries++)
        {
            await _page.GotoAsync((await Running.DashboardAsync()).ToString());
            try
            {
                await _page.GetByText("migrations", new() { Exact = true }).First.WaitForAsync(
                    new() { Timeout = (float)EmptyPage.TotalMilliseconds });
                return _page;
            }
            catch (TimeoutException) when (tries < 4)
            {
                // The page is opened again.
            }
        }
    }

    /// <summary>A page of the dashboard renders as long as it is open.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_page is not null)
        {
            await _page.CloseAsync();
        }
    }

    private async Task<object?> ScalarAsync(string sql)
    {
        await using var source = NpgsqlDataSource.Create(await Running.ConnectionStringAsync());
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Ct);
    }
}

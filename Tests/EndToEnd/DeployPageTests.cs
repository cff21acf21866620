using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Data;
using Npgsql;
using Xunit;

namespace Tests.EndToEnd;

/// <summary>
/// An operator follows docs/deploy.md: the commands are the page's, the settings are the published examples with values
/// put in.
/// </summary>
public sealed partial class DeployPageTests(Integration.App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Published_programs_run_as_the_page_says_and_the_API_needs_no_owner()
    {
        Assert.SkipUnless(TestDepth.IsFull, "It publishes three programs: at full depth only.");
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The page's commands are for a Unix shell.");
        var owner = await OwnerAsync();
        var (serving, registry) = (app.Server.AsNewLogin(owner), app.Server.AsNewLogin(owner));
        var (apiAddress, webAddress) = (DeployedFolder.FreeAddress(), DeployedFolder.FreeAddress());
        var (deployed, published) = await DeployedFolder.PublishAsync();
        await using var folder = deployed;

        // The page's table says what publishing does.
        foreach (var (project, name) in new[] { ("MigrationService", "migrations"), ("Api", "api"), ("Web", "web") })
        {
            Assert.Contains(
                $"`dotnet publish {project} --output out/{name}`", DeployPage.Text, StringComparison.Ordinal);
            Assert.Contains($"dotnet publish {project} --output {Path.Combine(folder.Path, name)}", published,
                StringComparison.Ordinal);
        }

        Assert.Equal(0, (await folder.RunAsync("Write the settings")).ExitCode);
        await folder.WriteSettingsAsync(
            "migrations", ("ConnectionStrings__tenants", owner), ("ConnectionStrings__tenantsApi", serving),
            ("ConnectionStrings__tenantsRegistry", registry));
        await folder.WriteSettingsAsync(
            "api", ("ConnectionStrings__tenantsApi", serving), ("ConnectionStrings__tenantsRegistry", registry),
            ("Authentication__OperatorKey", Integration.ApiFactory.OperatorKey), ("ASPNETCORE_URLS", Plain(apiAddress)));
        await folder.WriteSettingsAsync(
            "web", ("services__api__http__0", Plain(apiAddress)), ("ASPNETCORE_URLS", Plain(webAddress)));

        var job = await folder.RunAsync("Run the job");
        Assert.True(job.ExitCode == 0, job.Output);
        // It ran in Production: there are no demo customers.
        Assert.Contains("0 customers", job.Output, StringComparison.Ordinal);
        var create = await folder.RunAsync("Create a customer");
        Assert.True(create.ExitCode == 0, create.Output);

        var api = await folder.ServeAsync("Run the API", apiAddress);
        using var http = new HttpClient { BaseAddress = apiAddress };
        Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync("/customers", Ct)).StatusCode);
        http.DefaultRequestHeaders.Authorization = new("Bearer", Integration.ApiFactory.OperatorKey);
        using var refused = await http.PostAsJsonAsync("/customers", new { slug = "globex", name = "Globex" }, Ct);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Contains("create SLUG", await refused.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        var customers = await http.GetFromJsonAsync<JsonNode>("/customers", Ct);
        Assert.Equal(
            ["Acme Corporation"], customers!["items"]!.AsArray().Select(customer => (string)customer!["name"]!));
        // Its login makes keys, too.
        using var made = await http.PostAsJsonAsync("/api-keys", new { name = "acme's", customer = "acme" }, Ct);
        var key = await made.Content.ReadFromJsonAsync<JsonNode>(Ct);
        http.DefaultRequestHeaders.Authorization = new("Bearer", (string)key!["key"]!);
        using var invoice = await http.PostAsJsonAsync("/invoices", Integration.TestCustomer.Invoice(120m), Ct);
        Assert.Equal(HttpStatusCode.Created, invoice.StatusCode);

        var web = await folder.ServeAsync("Run the console", webAddress);
        using var browser = new HttpClient { BaseAddress = webAddress };
        using var signedIn = await Unit.Web.WebHost.SignInAsync(browser, Integration.ApiFactory.OperatorKey);
        var assets = Assets().Matches(await browser.GetStringAsync("/customers", Ct))
            .Select(match => match.Groups[1].Value).ToList();
        Assert.Contains(assets, asset => asset.Contains("MudBlazor", StringComparison.Ordinal));
        foreach (var asset in assets)
        {
            using var found = await browser.GetAsync(asset, Ct);
            Assert.True(found.IsSuccessStatusCode, $"{asset}: {found.StatusCode}");
        }

        Assert.Equal("42501", await RefusalAsync(serving, "SELECT 1 FROM public.customers"));
        Assert.Equal("42501", await RefusalAsync(registry, "SELECT 1 FROM customer_acme.invoices"));
        Assert.Equal("42501", await RefusalAsync(registry, "UPDATE public.customers SET name = ''"));
        Assert.Equal("42501", await RefusalAsync(registry, "UPDATE public.api_keys SET customer_id = NULL"));
        Assert.Equal("42501", await RefusalAsync(serving, "SELECT 1 FROM public.api_keys"));
        Assert.Equal((0, 0), (await web.StopAsync(Ct), await api.StopAsync(Ct)));
    }

    /// <summary>The style sheets, scripts and pictures that a page names.</summary>
    [GeneratedRegex("(?:href|src)=\"([^\"/][^\"]*\\.(?:css|js|svg))\"")]
    private static partial Regex Assets();

    private static string Plain(Uri address) => address.GetLeftPart(UriPartial.Authority);

    /// <summary>The owner as the page's SQL makes it: no superuser, and the database is its own.</summary>
    private async Task<string> OwnerAsync()
    {
        var administrator = await app.Server.ConnectionStringAsync(Ct);
        var owner = new NpgsqlConnectionStringBuilder(app.Server.AsNewLogin(administrator));
        await using var database = NpgsqlDataSource.Create(administrator);
        await using var make = database.CreateCommand(
            $"""
            CREATE ROLE {owner.Username} LOGIN CREATEROLE PASSWORD '{owner.Password}';
            ALTER DATABASE {owner.Database} OWNER TO {owner.Username};
            -- This server has the roles already, by another owner's migrations.
            GRANT {DataRegistration.ApiRole}, {DataRegistration.RegistryRole} TO {owner.Username} WITH ADMIN OPTION
            """);
        await make.ExecuteNonQueryAsync(Ct);
        return owner.ConnectionString;
    }

    private static async Task<string?> RefusalAsync(string connectionString, string sql)
    {
        await using var database = NpgsqlDataSource.Create(connectionString);
        await using var command = database.CreateCommand(sql);
        return (await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync(Ct))).SqlState;
    }
}

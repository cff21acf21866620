using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Tests.Integration.Access;

/// <summary>An operator acts for a customer, for a short time and in the open.</summary>
public sealed class ImpersonationTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_token_is_the_customers_and_each_use_is_written_down()
    {
        var (acme, globex) = (await app.NewCustomerAsync(), await app.NewCustomerAsync());
        await acme.CreateInvoiceAsync(120m);
        using var http = app.Client();
        var started = await StartAsync(http, acme.Tenant.Slug);
        using var user = app.Client();
        user.DefaultRequestHeaders.Authorization = new("Bearer", (string)started["token"]!);

        Assert.Equal(1, (int)(await user.GetFromJsonAsync<JsonObject>("/invoices", Ct))!["total"]!);
        Assert.Equal(HttpStatusCode.Forbidden,
            (await user.GetAsync($"/customers/{globex.Tenant.Slug}/invoices", Ct)).StatusCode);
        // It isn't an operator's.
        Assert.Equal(HttpStatusCode.Forbidden, (await user.GetAsync("/customers", Ct)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await user.GetAsync("/audit", Ct)).StatusCode);

        var audit = (
            await http.GetFromJsonAsync<JsonObject>($"/audit?customer={acme.Tenant.Slug}", Ct))!["items"]!.AsArray();
        Assert.Equal(
            ["used /audit", "used /customers", $"used /customers/{globex.Tenant.Slug}/invoices", "used /invoices",
            $"started /customers/{acme.Tenant.Slug}/impersonation"], audit.Select(one => $"{one!["kind"]} {one["path"]}"));
        Assert.All(audit, one => Assert.Equal(((string)started["id"]!, "first operator", "Ticket 4711"),
            ((string)one!["impersonation"]!, (string)one["operator"]!, (string)one["reason"]!)));
    }

    [Fact]
    public async Task A_forged_token_is_refused()
    {
        var (acme, globex) = (await app.NewCustomerAsync(), await app.NewCustomerAsync());
        using var http = app.Client();
        var token = (string)(await StartAsync(http, acme.Tenant.Slug))["token"]!;
        var (payload, signature) = (token["tki_".Length..].Split('.')[0], token.Split('.')[1]);
        var said = Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(payload));
        using var user = app.Client();
        foreach (var wrong in new[]
        {
            "tki_", "tki_.", $"tki_{payload}", $"tki_{payload}.", $"tki_{payload}.{new string('A', 43)}",
            $"tki_{payload}.{signature}.{signature}",
            $"tki_{Encoded(said.Replace(acme.Tenant.Slug, globex.Tenant.Slug, StringComparison.Ordinal)
                .Replace(acme.Tenant.Id.ToString(), globex.Tenant.Id.ToString(),
                    StringComparison.Ordinal))}.{signature}",
            $"tki_{Encoded(said.Replace("20", "21", StringComparison.Ordinal))}.{signature}",
        })
        {
            user.DefaultRequestHeaders.Authorization = new("Bearer", wrong);
            Assert.Equal((wrong, HttpStatusCode.Unauthorized),
                (wrong, (await user.GetAsync("/invoices", Ct)).StatusCode));
        }

        static string Encoded(string json) =>
            System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));
    }

    [Fact]
    public async Task A_token_ends_when_its_time_is_over()
    {
        var acme = await app.NewCustomerAsync();
        var time = new LaterTime();
        await using var api = new ApiFactory().WithWebHostBuilder(host => Configure(host, time));
        using var http = api.CreateClient();
        var started = await StartAsync(http, acme.Tenant.Slug, minutes: 2);
        using var user = api.CreateClient();
        user.DefaultRequestHeaders.Authorization = new("Bearer", (string)started["token"]!);
        Assert.Equal(HttpStatusCode.OK, (await user.GetAsync("/invoices", Ct)).StatusCode);

        time.Later = TimeSpan.FromMinutes(2);

        Assert.Equal(HttpStatusCode.Unauthorized, (await user.GetAsync("/invoices", Ct)).StatusCode);
    }

    [Theory]
    [InlineData("{}", 400)]
    [InlineData("""{"reason":"x"}""", 400)]
    [InlineData("""{"reason":"two\nlines"}""", 400)]
    [InlineData("""{"reason":"Ticket 4711","minutes":0}""", 400)]
    [InlineData("""{"reason":"Ticket 4711","minutes":61}""", 400)]
    public async Task A_reason_and_a_short_time_are_needed(string body, int status)
    {
        var acme = await app.NewCustomerAsync();
        using var http = app.Client();
        using var refused = await http.PostAsync($"/customers/{acme.Tenant.Slug}/impersonation",
            new StringContent(body, Encoding.UTF8, "application/json"), Ct);
        Assert.Equal(status, (int)refused.StatusCode);
        using var unknown = await http.PostAsJsonAsync(
            "/customers/nobody-has-this/impersonation", new { reason = "Ticket 4711" }, Ct);
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    private void Configure(IWebHostBuilder host, TimeProvider time) => host.UseEnvironment("Development")
        .UseSetting("ConnectionStrings:tenants", app.ConnectionString)
        .UseSetting("ConnectionStrings:tenantsApi", app.ServingConnectionString)
        .ConfigureServices(services => services.AddSingleton(time))
        .ConfigureLogging(logging => logging.ClearProviders());

    private sealed class LaterTime : TimeProvider
    {
        public TimeSpan Later { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Later;
    }

    private static async Task<JsonObject> StartAsync(HttpClient http, string slug, int minutes = 15)
    {
        using var started = await http.PostAsJsonAsync(
            $"/customers/{slug}/impersonation", new { reason = "Ticket 4711", minutes }, Ct);
        Assert.Equal(HttpStatusCode.Created, started.StatusCode);
        return (await started.Content.ReadFromJsonAsync<JsonObject>(Ct))!;
    }
}

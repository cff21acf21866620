using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Data.Access;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Tenancy;
using Xunit;

namespace Tests.Integration.Access;

/// <summary>
/// Every endpoint, every caller, every state of a customer. The endpoints come from the application: a new one without
/// a rule here fails.
/// </summary>
public sealed class AccessMatrixTests(App app)
{
    private static readonly Dictionary<string, Rule> Rules = new()
    {
        ["GET /health"] = Rule.Anybody,
        ["GET /alive"] = Rule.Anybody,
        ["GET /openapi/{documentName}.json"] = Rule.Anybody,
        ["GET /currencies"] = Rule.AnyCaller,
        ["GET /api-keys"] = Rule.Operators,
        ["POST /api-keys"] = Rule.Operators,
        ["DELETE /api-keys/{id}"] = Rule.Operators,
        ["GET /customers"] = Rule.Operators,
        ["GET /customer-counts"] = Rule.Operators,
        ["POST /customers"] = Rule.Operators,
        ["GET /audit"] = Rule.Operators,
        ["POST /customers/{slug}/impersonation"] = Rule.Operators,
        ["GET /customers/{slug}"] = Rule.Operators,
        ["PATCH /customers/{slug}"] = Rule.Operators,
        ["DELETE /customers/{slug}"] = Rule.Operators,
        ["POST /customers/{slug}/suspend"] = Rule.Operators,
        ["POST /customers/{slug}/resume"] = Rule.Operators,
        ["POST /customers/{slug}/archive"] = Rule.Operators,
        ["POST /customers/{slug}/export"] = Rule.Operators,
        ["POST /customers/{slug}/clone"] = Rule.Operators,
        ["POST /customers/{slug}/move"] = Rule.Operators,
        ["POST /customers/{slug}/import"] = Rule.Operators,
        ["GET /operations"] = Rule.Operators,
        ["GET /operations/{id:guid}"] = Rule.Operators,
        ["GET /operations/{id:guid}/file"] = Rule.Operators,
        ["POST /operations/{id:guid}/cancel"] = Rule.Operators,
        ["GET /fleet"] = Rule.Operators,
        ["GET /fleet/migrations"] = Rule.Operators,
        ["POST /fleet/migrate"] = Rule.Operators,
        ["POST /fleet/retry"] = Rule.Operators,
        ["POST /fleet/down"] = Rule.Operators,
        ["POST /fleet/verify"] = Rule.Operators,
        ["POST /fleet/reconcile"] = Rule.Operators,
        ["GET /fleet/tasks"] = Rule.Operators,
        ["GET /fleet/tasks/{task}/customers"] = Rule.Operators,
        ["POST /fleet/tasks/{task}"] = Rule.Operators,
        ["POST /fleet/halt"] = Rule.Operators,
        ["GET /doctor"] = Rule.Operators,
        ["GET /reports/receivables"] = Rule.Operators,
        ["GET /contacts"] = Rule.Customers,
        ["POST /contacts"] = Rule.Customers,
        ["GET /contacts/{id:guid}"] = Rule.Customers,
        ["PUT /contacts/{id:guid}"] = Rule.Customers,
        ["DELETE /contacts/{id:guid}"] = Rule.Customers,
        ["GET /customers/{customer}/contacts"] = Rule.Customers,
        ["POST /customers/{customer}/contacts"] = Rule.Customers,
        ["GET /customers/{customer}/contacts/{id:guid}"] = Rule.Customers,
        ["PUT /customers/{customer}/contacts/{id:guid}"] = Rule.Customers,
        ["DELETE /customers/{customer}/contacts/{id:guid}"] = Rule.Customers,
        ["GET /invoices"] = Rule.Customers,
        ["GET /invoices/overview"] = Rule.Customers,
        ["GET /customers/{customer}/invoices/overview"] = Rule.Customers,
        ["POST /invoices"] = Rule.Customers,
        ["GET /invoices/{id:guid}"] = Rule.Customers,
        ["PUT /invoices/{id:guid}"] = Rule.Customers,
        ["DELETE /invoices/{id:guid}"] = Rule.Customers,
        ["POST /invoices/{id:guid}/payment"] = Rule.Customers,
        ["PUT /customers/{customer}/invoices/{id:guid}"] = Rule.Customers,
        ["DELETE /customers/{customer}/invoices/{id:guid}"] = Rule.Customers,
        ["POST /customers/{customer}/invoices/{id:guid}/payment"] = Rule.Customers,
        ["POST /invoices/import"] = Rule.Customers,
        ["GET /customers/{customer}/invoices"] = Rule.Customers,
        ["POST /customers/{customer}/invoices"] = Rule.Customers,
        ["GET /customers/{customer}/invoices/{id:guid}"] = Rule.Customers,
        ["POST /customers/{customer}/invoices/import"] = Rule.Customers,
        ["GET /settings"] = Rule.Customers,
        ["PUT /settings"] = Rule.Customers,
        ["GET /customers/{customer}/settings"] = Rule.Customers,
        ["PUT /customers/{customer}/settings"] = Rule.Customers,
    };

    private static readonly string[] Unauthenticated =
    [
        "", "Bearer ", "Bearer x", "Basic b3BlcmF0b3I6b3BlcmF0b3I=", $"Bearer {ApiFactory.OperatorKey}x",
        $"Bearer {ApiFactory.OperatorKey[..^1]}", "Bearer a.b.c", $"Bearer {new string('a', 5000)}",
    ];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public void Every_endpoint_has_a_rule_and_every_rule_an_endpoint() =>
        Assert.Equal(Rules.Keys.Order(), Endpoints().Select(one => one.Name)
            .Where(name => !name.StartsWith("HEAD ", StringComparison.Ordinal) && !IsPage(name)).Order());

    [Fact]
    public void What_needs_no_credential_says_so_and_nothing_else_does()
    {
        foreach (var (name, endpoint) in Endpoints())
        {
            Assert.Equal(RuleOf(name) == Rule.Anybody, endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null);
        }
    }

    [Fact]
    public async Task Without_a_credential_the_answer_is_401_for_everything_that_exists_and_everything_that_doesnt()
    {
        var acme = await app.NewCustomerAsync();
        foreach (var credential in Unauthenticated.Append(
            $"Bearer {ApiKeyText.New(isOperators: true)}").Append($"Bearer {ApiKeyText.New(isOperators: false)}"))
        {
            foreach (var (name, _) in Endpoints().Where(one => RuleOf(one.Name) != Rule.Anybody)
                .Append(("GET /nothing", null!)).Append(("POST /customers/../x", null!)))
            {
                var (code, problem) = await AskAsync(name, acme.Tenant.Slug, credential);
                Assert.Equal((name, HttpStatusCode.Unauthorized), (name, code));
                Assert.Equal("Not signed in.", problem);
            }
        }
    }

    [Theory]
    [InlineData(TenantStatus.Active)]
    [InlineData(TenantStatus.Suspended)]
    [InlineData(TenantStatus.Archived)]
    public async Task A_caller_may_what_the_rule_says(TenantStatus status)
    {
        var (acme, globex) = (await app.NewCustomerAsync(), await app.NewCustomerAsync());
        var (own, other) = (await KeyAsync(acme.Tenant.Slug), await KeyAsync(globex.Tenant.Slug));
        await app.Services.GetRequiredService<Tenants>().SetStatusAsync(acme.Tenant.Slug, status, Ct);
        var closed = status != TenantStatus.Active;
        foreach (var (name, _) in Endpoints())
        {
            var rule = RuleOf(name);
            foreach (var (caller, credential, allowed) in new[]
            {
                ("nobody", "", rule is Rule.Anybody),
                ("operator", $"Bearer {ApiFactory.OperatorKey}", rule is not Rule.Customers || !closed),
                ("own", $"Bearer {own}",
                    rule is Rule.Anybody or Rule.AnyCaller || rule is Rule.Customers && !closed),
                ("other", $"Bearer {other}", rule is Rule.Anybody or Rule.AnyCaller),
            })
            {
                var (code, _) = await AskAsync(name, acme.Tenant.Slug, credential);
                if (name.StartsWith("POST /customers/{slug}/", StringComparison.Ordinal)
                    && code == HttpStatusCode.NoContent)
                {
                    // It did what it says: back to what is looked at here.
                    await app.Services.GetRequiredService<Tenants>().SetStatusAsync(acme.Tenant.Slug, status, Ct);
                }

                var isAllowed = code is not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden);
                Assert.Equal((name, caller, allowed), (name, caller, isAllowed));
            }
        }
    }

    [Fact]
    public async Task A_customers_key_gets_the_same_answer_for_every_other_slug_and_nobody_is_looked_up()
    {
        var (acme, globex) = (await app.NewCustomerAsync(), await app.NewCustomerAsync());
        var key = await KeyAsync(acme.Tenant.Slug);
        var answers = new HashSet<string>();
        foreach (var slug in new[] { globex.Tenant.Slug, "nobody-has-this", "NOT-A-SLUG", "%20", "a%2Fb" })
        {
            foreach (var (path, header) in new[] { ($"/customers/{slug}/invoices", null), ("/invoices", slug) })
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, path);
                request.Headers.Authorization = new("Bearer", key);
                if (header is not null)
                {
                    request.Headers.TryAddWithoutValidation("X-Customer", header);
                }

                using var http = app.Client();
                using var answer = await http.SendAsync(request, Ct);
                Assert.Equal((slug, HttpStatusCode.Forbidden), (slug, answer.StatusCode));
                var problem = (await answer.Content.ReadFromJsonAsync<JsonObject>(Ct))!;
                answers.Add($"{problem["title"]} {problem["detail"]} {problem["type"]}");
            }
        }

        Assert.Single(answers);
    }

    [Fact]
    public async Task A_customers_key_needs_no_other_name_and_may_repeat_it()
    {
        var acme = await app.NewCustomerAsync();
        await acme.CreateInvoiceAsync(120m);
        using var http = app.Client();
        http.DefaultRequestHeaders.Authorization = new("Bearer", await KeyAsync(acme.Tenant.Slug));

        foreach (var path in new[] { "/invoices", $"/customers/{acme.Tenant.Slug}/invoices" })
        {
            var page = await http.GetFromJsonAsync<JsonObject>(path, Ct);
            Assert.Equal(120m, (decimal)Assert.Single(page!["items"]!.AsArray())!["total"]!);
        }

        using var written = await http.PostAsJsonAsync(
            $"/customers/{acme.Tenant.Slug}/invoices", TestCustomer.Invoice(7m), Ct);
        Assert.StartsWith($"/customers/{acme.Tenant.Slug}/invoices/", written.Headers.Location!.ToString(),
            StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(written.Headers.Location, Ct)).StatusCode);
    }

    [Fact]
    public async Task An_operator_who_names_two_customers_or_nobody_learns_which_mistake_it_is()
    {
        var (acme, globex) = (await app.NewCustomerAsync(), await app.NewCustomerAsync());
        using var http = app.Client();
        Assert.Equal(HttpStatusCode.NotFound,
            (await http.GetAsync("/customers/nobody-has-this/invoices", Ct)).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await http.GetAsync("/customers/Not-A-Slug/invoices", Ct)).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await http.GetAsync("/invoices", Ct)).StatusCode);
        http.DefaultRequestHeaders.Add("X-Customer", acme.Tenant.Slug);
        Assert.Equal(HttpStatusCode.BadRequest,
            (await http.GetAsync($"/customers/{globex.Tenant.Slug}/invoices", Ct)).StatusCode);
    }

    /// <summary>HEAD is GET without a body, and the page that shows the document is as open as the document.</summary>
    private static Rule RuleOf(string name) => IsPage(name)
        ? Rule.Anybody
        : Rules[name.StartsWith("HEAD ", StringComparison.Ordinal) ? $"GET {name[5..]}" : name];

    private static bool IsPage(string name) => name.StartsWith("GET /docs", StringComparison.Ordinal);

    private async Task<string> KeyAsync(string slug)
    {
        using var http = app.Client();
        using var made = await http.PostAsJsonAsync("/api-keys", new { name = "of a test", customer = slug }, Ct);
        return (string)(await made.Content.ReadFromJsonAsync<JsonObject>(Ct))!["key"]!;
    }

    private async Task<(HttpStatusCode Code, string? Title)> AskAsync(string endpoint, string slug, string credential)
    {
        var (method, path) = (endpoint.Split(' ')[0], endpoint.Split(' ')[1]);
        path = path.Replace("{customer}", slug, StringComparison.Ordinal).Replace("{slug}", slug,
            StringComparison.Ordinal)
            .Replace("{id:guid}", $"{Guid.NewGuid()}", StringComparison.Ordinal)
            .Replace("{id}", "none", StringComparison.Ordinal).Replace("{documentName}", "v1",
                StringComparison.Ordinal);
        using var http = app.Client();
        http.DefaultRequestHeaders.Authorization = null;
        using var request = new HttpRequestMessage(new(method), path);
        if (method is "POST" or "PUT" or "PATCH")
        {
            request.Content = JsonContent.Create(new { });
        }

        if (path.StartsWith("/invoices", StringComparison.Ordinal)
            || path.StartsWith("/contacts", StringComparison.Ordinal)
            || path.StartsWith("/settings", StringComparison.Ordinal))
        {
            request.Headers.Add("X-Customer", slug);
        }

        request.Headers.TryAddWithoutValidation("Authorization", credential);
        using var answer = await http.SendAsync(request, Ct);
        var isProblem = answer.Content.Headers.ContentType?.MediaType == "application/problem+json";
        return (answer.StatusCode,
            isProblem ? (string?)(await answer.Content.ReadFromJsonAsync<JsonObject>(Ct))!["title"] : null);
    }

    private IEnumerable<(string Name, Endpoint Endpoint)> Endpoints() =>
        from endpoint in app.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        from method in endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"]
        let path = $"/{endpoint.RoutePattern.RawText!.Trim('/')}"
        select ($"{method} {path}", (Endpoint)endpoint);

    private enum Rule
    {
        Anybody,
        AnyCaller,
        Customers,
        Operators,
    }
}

using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Api.Contract;
using Tests.Unit.Docs;
using Xunit;

namespace Tests.Integration.Contract;

/// <summary>The OpenAPI document is what a program's client is generated from.</summary>
public sealed class DocumentTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_operation_has_an_id_a_description_a_tag_and_its_refusals()
    {
        var document = await DocumentAsync(app);

        Assert.StartsWith("3.1", (string)document["openapi"]!, StringComparison.Ordinal);
        var operations = Operations(document).ToList();
        Assert.Equal(operations.Count,
            operations.Select(one => (string)one.Operation["operationId"]!).Distinct().Count());
        var tags = document["tags"]!.AsArray().Select(tag => (string)tag!["name"]!).ToHashSet();
        foreach (var (name, operation) in operations)
        {
            Assert.NotEmpty((string)operation["description"]!);
            Assert.Contains((string)operation["tags"]![0]!, tags);
            var responses = operation["responses"]!.AsObject();
            Assert.Superset(new HashSet<string> { "401", "403", "503" }, responses.Select(one => one.Key).ToHashSet());
            Assert.True(operation["parameters"] is null && operation["requestBody"] is null
                || responses["400"] is not null, name);
            Assert.NotEmpty(operation["security"]!.AsArray());
            foreach (var (status, response) in responses.Where(one => one.Key[0] is '4' or '5'))
            {
                Assert.Equal((name, status, "#/components/schemas/ProblemDetails"), (name, status,
                    (string)response!["content"]!["application/problem+json"]!["schema"]!["$ref"]!));
            }
        }
    }

    [Fact]
    public async Task Numbers_are_numbers_and_patterns_are_those_of_ECMA_262()
    {
        var document = await DocumentAsync(app);
        foreach (var schema in Schemas(document))
        {
            if (schema["type"] is JsonArray types)
            {
                Assert.DoesNotContain("string",
                    types.Select(type => (string)type!).Intersect(["number", "integer", "string"])
                    .Where(_ => types.Any(type => (string)type! is "number" or "integer")));
            }

            if (schema["pattern"] is { } pattern)
            {
                Assert.DoesNotContain(@"\z", (string)pattern!, StringComparison.Ordinal);
                _ = new Regex((string)pattern!, RegexOptions.ECMAScript);
            }
        }

        var slug = (string)document["components"]!["schemas"]!["NewCustomer"]!["properties"]!["slug"]!["pattern"]!;
        Assert.Matches(new Regex(slug, RegexOptions.ECMAScript), "acme-inc");
        Assert.DoesNotMatch(new Regex(slug, RegexOptions.ECMAScript), "Acme");
    }

    [Fact]
    public async Task Parameters_are_named_as_the_console_names_them()
    {
        var names = Operations(await DocumentAsync(app))
            .SelectMany(one => one.Operation["parameters"]?.AsArray() ?? [])
            .Select(parameter => (string)parameter!["name"]!).Distinct().Order();

        Assert.Equal(["Idempotency-Key", "X-Customer", "after", "before", "condition", "confirm", "contact",
            "currency", "customer", "database", "dueFrom", "dueTo", "failures", "fresh", "graceDays", "id", "issuedFrom",
            "issuedTo", "kind", "name", "numberFrom", "numberTo", "page", "pageSize", "ring", "search", "slug", "sort", "state",
            "status", "task", "version"], names.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Every_write_of_a_customers_says_that_it_takes_a_key_and_what_that_may_lead_to()
    {
        foreach (var (name, operation) in Operations(await DocumentAsync(app)))
        {
            var takesKey = operation["parameters"]?.AsArray().Any(one => (string)one!["name"]! == "Idempotency-Key");
            // An operator's other calls write nothing, or something that they say themselves.
            var isTenants = name.StartsWith("POST ", StringComparison.Ordinal)
                && (name is "POST /customers" || name.Contains("/invoices", StringComparison.Ordinal)
                    || name.Contains("/contacts", StringComparison.Ordinal));
            Assert.Equal((name, isTenants), (name, takesKey is true));
            if (isTenants)
            {
                var responses = operation["responses"]!.AsObject();
                Assert.Superset(new HashSet<string> { "409", "422" }, responses.Select(one => one.Key).ToHashSet());
                Assert.NotNull(responses.Single(one => one.Key[0] == '2').Value!["headers"]!["Idempotent-Replayed"]);
            }
        }
    }

    [Fact]
    public async Task The_error_type_has_what_an_error_has()
    {
        var acme = await app.NewCustomerAsync();
        using var refused = await acme.Http.GetAsync("/invoices?page=none", Ct);
        var answer = (await refused.Content.ReadFromJsonAsync<JsonObject>(Ct))!;
        var schema = (await DocumentAsync(app))["components"]!["schemas"]!["ProblemDetails"]!["properties"]!.AsObject();

        Assert.Equal(schema.Select(one => one.Key).Order(), answer.Select(one => one.Key).Order());
    }

    [Fact]
    public async Task Request_bodies_have_examples_that_the_API_takes()
    {
        var schemas = (await DocumentAsync(app))["components"]!["schemas"]!;
        var acme = await app.NewCustomerAsync();
        foreach (var (name, path) in new[] { ("NewInvoice", "/invoices"), ("NewCustomer", "/customers"),
            ("NewApiKey", "/api-keys") })
        {
            var example = schemas[name]!["examples"]![0]!;
            if (example["slug"] is not null)
            {
                example["slug"] = App.NewSlug();
            }

            if (example["customer"] is not null)
            {
                example["customer"] = acme.Tenant.Slug;
            }

            using var answer = await acme.Http.PostAsJsonAsync(path, example, Ct);
            Assert.Equal((name, 201), (name, (int)answer.StatusCode));
        }
    }

    [Fact]
    public async Task The_page_of_calls_has_every_operation()
    {
        var calls = await File.ReadAllTextAsync(Path.Combine(DocPages.Root, "Api", "Api.http"), Ct);
        var called = Regex.Matches(calls, @"^(GET|POST|PUT|PATCH|DELETE) \{\{api\}\}(\S+)", RegexOptions.Multiline)
            .Select(call => $"{call.Groups[1].Value} {Shape(call.Groups[2].Value)}").ToHashSet();

        foreach (var (name, _) in Operations(await DocumentAsync(app)))
        {
            Assert.Contains(Shape(name), called);
        }

        static string Shape(string address) => Regex.Replace(Regex.Replace(address.Split('?')[0],
            @"\{\{?\w+\}?\}", "*"), "(?<=/)(ID|00000000-0000-0000-0000-000000000000)", "*");
    }

    [Fact]
    public async Task The_page_of_problems_lists_every_type_and_no_other()
    {
        var page = await File.ReadAllTextAsync(Path.Combine(DocPages.Root, "docs", "problems.md"), Ct);

        Assert.Equal(ProblemTypes.ByStatus.Values.Concat(ProblemTypes.OfCustomers).Concat(ProblemTypes.OfKeys).Order(),
            Regex.Matches(page, @"^\| `(urn:\S+)` \|", RegexOptions.Multiline).Select(row =>
                row.Groups[1].Value).Order());
    }

    internal static async Task<JsonObject> DocumentAsync(App app)
    {
        using var client = app.Client();
        client.DefaultRequestHeaders.Authorization = null;
        return (await client.GetFromJsonAsync<JsonObject>("/openapi/v1.json", Ct))!;
    }

    internal static IEnumerable<(string Name, JsonObject Operation)> Operations(JsonObject document) =>
        from path in document["paths"]!.AsObject()
        from operation in path.Value!.AsObject()
        select ($"{operation.Key.ToUpperInvariant()} {path.Key}", operation.Value!.AsObject());

    private static IEnumerable<JsonObject> Schemas(JsonNode? node) => node switch
    {
        JsonObject one => one.SelectMany(member => Schemas(member.Value)).Prepend(one),
        JsonArray several => several.SelectMany(Schemas),
        _ => [],
    };
}

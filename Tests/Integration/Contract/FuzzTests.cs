using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Tests.Integration.Contract;

/// <summary>
/// Requests made at random of what the OpenAPI document describes, most of them bad. Whatever comes, the API doesn't
/// fail, and what it refuses it refuses in its one form.
/// </summary>
public sealed class FuzzTests(App app)
{
    private static readonly string[] Texts =
    [
        "", " ", "x", "acme", "-1", "0", "1", "1e999", "null", "true", "%00", "\0", "\u202e", "\ud800", "🦊", "../..", "a/b",
        "'; DROP TABLE customers; --", "\"__Tenant__\"", "{0}", "${x}", "<script>", "00000000-0000-0000-0000-000000000000",
        "2026-02-30", "2026-11-23", "EUR", "99999999999999999999999", new string('x', 5000), "a\r\nb: c", "%s%n",
    ];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_request_makes_it_fail()
    {
        var random = new Random(TestSeed.Say());
        var document = await DocumentTests.DocumentAsync(app);
        var operations = DocumentTests.Operations(document).ToList();
        var acme = await app.NewCustomerAsync();
        var seen = new Dictionary<int, int>();
        for (var at = 0; at < TestDepth.Of(1_000, 10_000); at++)
        {
            var (name, operation) = operations[random.Next(operations.Count)];
            using var request = Make(name, operation, document, acme.Tenant.Slug, random);
            var told = $"{request.Method} {request.RequestUri}\n{(request.Content is null ? "" : await request.Content.ReadAsStringAsync(Ct))}";
            using var answer = await acme.Http.SendAsync(request, Ct);

            var body = await answer.Content.ReadAsStringAsync(Ct);
            Assert.True((int)answer.StatusCode < 500, $"{answer.StatusCode}: {told}\n{body}");
            seen[(int)answer.StatusCode] = seen.GetValueOrDefault((int)answer.StatusCode) + 1;
            if ((int)answer.StatusCode >= 400)
            {
                Assert.True(answer.Content.Headers.ContentType?.MediaType == "application/problem+json",
                    $"{told}\n{body}");
                var problem = JsonNode.Parse(body)!.AsObject();
                Assert.StartsWith("urn:", (string)problem["type"]!, StringComparison.Ordinal);
                Assert.False(answer.StatusCode == HttpStatusCode.BadRequest && problem["title"] is null, told);
                Assert.DoesNotContain("System.", body, StringComparison.Ordinal);
                Assert.DoesNotContain("Npgsql", body, StringComparison.Ordinal);
            }
        }

        // It isn't all refused at the door.
        Assert.True(seen.GetValueOrDefault(200) > 20 && seen.GetValueOrDefault(400) > 100
            && seen.GetValueOrDefault(404) > 20,
            string.Join(", ", seen));
    }

    private static HttpRequestMessage Make(
        string name, JsonObject operation, JsonObject document, string slug, Random random)
    {
        var (method, path) = (name.Split(' ')[0], name.Split(' ')[1]);
        var query = new List<string>();
        var headers = new List<(string, string)>();
        foreach (var parameter in operation["parameters"]?.AsArray() ?? [])
        {
            var (key, where) = ((string)parameter!["name"]!, (string)parameter["in"]!);
            var value = key is "customer" or "X-Customer" && random.Next(3) > 0 ? slug : Text(random);
            switch (where)
            {
                case "path":
                    path = path.Replace($"{{{key}}}",
                        // A server refuses these before it asks the application.
                        Uri.EscapeDataString(Sendable(value).Replace('\0', 'x')), StringComparison.Ordinal);
                    break;
                case "header":
                    headers.Add((key, value));
                    break;
                default:
                    if (random.Next(3) == 0)
                    {
                        query.Add($"{key}={Uri.EscapeDataString(Sendable(value))}");
                    }

                    break;
            }
        }

        if (random.Next(8) == 0)
        {
            query.Add($"{Uri.EscapeDataString(Sendable(Text(random)))}=1");
        }

        // The host would take a path of dots or none for another one.
        var request = new HttpRequestMessage(new(method), new Uri(
            $"{path}{(query.Count == 0 ? "" : $"?{string.Join('&', query)}")}", UriKind.Relative));
        foreach (var (key, value) in headers.Where(header =>
            !header.Item2.Any(letter => letter is '\r' or '\n' or '\0')))
        {
            request.Headers.TryAddWithoutValidation(key, value);
        }

        if (operation["requestBody"]?["content"]?.AsObject() is { } content)
        {
            request.Content = Body(content, document, random);
        }

        return request;
    }

    private static ByteArrayContent Body(JsonObject content, JsonObject document, Random random)
    {
        var type = content.First().Key;
        byte[] bytes;
        if (type == "application/json")
        {
            var reference = ((string)content[type]!["schema"]!["$ref"]!).Split('/')[^1];
            var example = document["components"]!["schemas"]![reference]!["examples"]![0]!.DeepClone();
            for (var change = random.Next(4); change > 0; change--)
            {
                Change(example, random);
            }

            if (example is JsonObject { } made && made["slug"] is not null && random.Next(10) > 0)
            {
                // Each customer has a schema: few are really made.
                made["slug"] = "Not A Slug";
            }

            bytes = Encoding.UTF8.GetBytes(example.ToJsonString());
            bytes = random.Next(10) switch
            {
                0 => bytes[..random.Next(bytes.Length)],
                1 => [.. bytes, .. "]}"u8],
                2 => Encoding.UTF8.GetBytes(new string('[', random.Next(1, 3000))),
                _ => bytes,
            };
        }
        else
        {
            bytes = Encoding.UTF8.GetBytes(string.Join('\n', Enumerable.Range(0, random.Next(4)).Select(_ =>
                string.Join(',', Enumerable.Range(0, random.Next(12)).Select(_ => Sendable(Text(random)))))));
        }

        if (bytes.Length > 0 && random.Next(5) == 0)
        {
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        }

        var body = new ByteArrayContent(bytes);
        body.Headers.TryAddWithoutValidation("Content-Type", random.Next(15) == 0 ? "text/html" : type);
        return body;
    }

    private static void Change(JsonNode node, Random random)
    {
        var places = Places(node).ToList();
        if (places.Count == 0)
        {
            return;
        }

        var (parent, key) = places[random.Next(places.Count)];
        JsonNode? value = random.Next(9) switch
        {
            0 => null,
            1 => random.Next(),
            2 => -random.NextDouble() * 1e300,
            3 => new JsonArray(1, null, "x"),
            4 => new JsonObject { ["x"] = 1 },
            5 => random.Next(2) == 0,
            _ => Sendable(Text(random)),
        };
        switch (parent)
        {
            case JsonObject one when random.Next(6) == 0:
                one.Remove(key);
                break;
            case JsonObject one when random.Next(6) == 0:
                one[Sendable(Text(random))] = value;
                break;
            case JsonObject one:
                one[key] = value;
                break;
            case JsonArray several:
                several[int.Parse(key, CultureInfo.InvariantCulture)] = value;
                break;
        }
    }

    private static IEnumerable<(JsonNode Parent, string Key)> Places(JsonNode? node) => node switch
    {
        JsonObject one => one.SelectMany(member => Places(member.Value).Prepend((one, member.Key))),
        JsonArray several => several.SelectMany((member, at) =>
            Places(member).Prepend((several, at.ToString(CultureInfo.InvariantCulture)))),
        _ => [],
    };

    private static string Text(Random random) => Texts[random.Next(Texts.Length)];

    /// <summary>Half a surrogate pair is no text that could be sent.</summary>
    private static string Sendable(string text) => text.Replace("\ud800", "\ufffd", StringComparison.Ordinal);
}

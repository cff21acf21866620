using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace Tests.Integration.Contract;

/// <summary>A key is one header of 1 to 255 visible ASCII characters.</summary>
public sealed class IdempotencyKeyRuleTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("two words")]
    [InlineData("schlüssel")]
    [InlineData("a\tb")]
    [InlineData("256")]
    [InlineData("a", "b")]
    public async Task What_is_no_key_is_refused_by_name(params string[] keys)
    {
        var acme = await app.NewCustomerAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/invoices");
        request.Content = IdempotencyTests.Invoice(1m);
        foreach (var key in keys)
        {
            request.Headers.TryAddWithoutValidation("Idempotency-Key", key == "256" ? new('x', 256) : key);
        }

        using var answer = await acme.Http.SendAsync(request, Ct);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(["Idempotency-Key"],
            (await answer.Content.ReadFromJsonAsync<JsonObject>(Ct))!["errors"]!.AsObject().Select(one => one.Key));
        Assert.Empty(await acme.InvoicesAsync());
    }

    [Fact]
    public async Task The_longest_key_and_the_strangest_are_taken()
    {
        var acme = await app.NewCustomerAsync();
        foreach (var key in new[] { new string('~', 255), "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}" })
        {
            using var first = await acme.SendAsync("/contacts", JsonContent.Create(new { name = "A" }), key);
            using var again = await acme.SendAsync("/contacts", JsonContent.Create(new { name = "A" }), key);
            Assert.Equal((HttpStatusCode.Created, true), (again.StatusCode, IdempotencyTests.IsReplayed(again)));
        }
    }
}

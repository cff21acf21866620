using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Tests.Integration.Contract;

/// <summary>A cursor that isn't the list's own is refused, whatever is in it.</summary>
public sealed class CursorTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_cursor_of_another_list_or_order_is_refused_by_name()
    {
        var acme = await app.NewCustomerAsync();
        await acme.CreateInvoiceAsync(1m, "Ada");
        await acme.CreateInvoiceAsync(2m, "Eve");
        var newest = (string)(await KeysetPagingTests.PageAsync(acme, "/invoices?pageSize=1"))["next"]!;
        var ofContacts = (string)(await KeysetPagingTests.PageAsync(acme, "/contacts?pageSize=1"))["next"]!;

        foreach (var (path, parameter) in new[]
        {
            ($"/invoices?after={newest}&page=1", "page"), ($"/invoices?after={newest}&sort=oldest", "after"),
            ($"/invoices?after={newest}&sort=dueLast", "after"), ($"/contacts?after={newest}", "after"),
            ($"/invoices?after={ofContacts}", "after"), ("/invoices?after=", "after"),
            ("/invoices?after=4711", "after"), ($"/invoices?after={new string('A', 3000)}", "after"),
            ("/customers?after=x", "after"),
            ByName("""null,"id":"x" """), ByName($"null,\"id\":\"{Guid.Empty}\""),
            ByName($"\"\\u0000\",\"id\":\"{Guid.Empty}\""), ByName($"\"\\ud800\",\"id\":\"{Guid.Empty}\""),
            ByNumber("null"), ByNumber("""null,"id":99999999999"""), ByNumber("""null,"id":1,"more":1"""),
            ($"/invoices?sort=dueFirst&after={Encoded(
                """{"sort":"dueFirst","descending":false,"key":"2026-02-30","id":1}""")}", "after"),
            ($"/invoices?after={Encoded("null")}", "after"),
        })
        {
            using var answer = await acme.Http.GetAsync(path, Ct);
            Assert.Equal((path, HttpStatusCode.BadRequest), (path, answer.StatusCode));
            var problem = (await answer.Content.ReadFromJsonAsync<JsonObject>(Ct))!;
            Assert.Equal([parameter], problem["errors"]!.AsObject().Select(one => one.Key));
        }
    }

    [Fact]
    public async Task No_damage_to_a_cursor_makes_it_fail()
    {
        var acme = await app.NewCustomerAsync();
        await acme.CreateInvoiceAsync(1m, "Ada");
        await acme.CreateInvoiceAsync(2m, "Eve");
        var random = new Random(TestSeed.Say());
        foreach (var path in new[] { "/invoices?sort=dueLast&pageSize=1", "/contacts?pageSize=1" })
        {
            var cursor = (string)(await KeysetPagingTests.PageAsync(acme, path))["next"]!;
            for (var round = 0; round < TestDepth.Of(150, 5_000); round++)
            {
                // The text, or the JSON in it.
                var bytes = round % 2 == 0 ? Encoding.UTF8.GetBytes(cursor) : Decoded(cursor);
                for (var change = random.Next(1, 4); change > 0; change--)
                {
                    bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                }

                var damaged = round % 2 == 0 ? Encoding.Latin1.GetString(bytes) : Encoded(bytes);
                using var answer = await acme.Http.GetAsync($"{path}&after={Uri.EscapeDataString(damaged)}", Ct);
                Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.BadRequest,
                    $"{answer.StatusCode}: {damaged}");
            }
        }
    }

    private static string Encoded(string json) => Encoded(Encoding.UTF8.GetBytes(json));

    private static string Encoded(byte[] json) => System.Buffers.Text.Base64Url.EncodeToString(json);

    private static byte[] Decoded(string cursor) => System.Buffers.Text.Base64Url.DecodeFromChars(cursor);

    private static (string, string) ByName(string values) =>
        ($"/contacts?after={Encoded($$"""{"sort":"name","descending":false,"key":{{values}}}""")}", "after");

    private static (string, string) ByNumber(string values) =>
        ($"/invoices?after={Encoded($$"""{"sort":"newest","descending":true,"key":{{values}}}""")}", "after");
}

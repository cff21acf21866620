using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Tests.Integration.Invoicing;

/// <summary>What is wrong with a file is said line by line, and nothing of it is written.</summary>
public sealed class ImportRefusalsTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static TheoryData<string, string, string> BadRows => new()
    {
        { CsvFiles.Row(invoice: ""), "line 2: invoice", "Say which invoice the line belongs to" },
        { CsvFiles.Row(contact: " "), "line 2: contact", "Say who the invoice goes to." },
        { CsvFiles.Row(contact: new('x', 201)), "line 2: contact", "200" },
        { CsvFiles.Row(email: "nobody"), "line 2: email", "That is no e-mail address." },
        { CsvFiles.Row(currency: ""), "line 2: currency", "Name a currency." },
        { CsvFiles.Row(currency: "euro"), "line 2: currency", "Use a currency's three letters, e.g. EUR." },
        { CsvFiles.Row(currency: "XYZ"), "line 2: currency", "There is no currency 'XYZ' here." },
        { CsvFiles.Row(issued: ""), "line 2: issued_on", "Say when the invoice is issued" },
        { CsvFiles.Row(issued: "23.11.2026"), "line 2: issued_on",
            "'23.11.2026' is no date: write it like 2026-11-23." },
        { CsvFiles.Row(issued: "2026-02-30"), "line 2: issued_on", "'2026-02-30' is no date" },
        { CsvFiles.Row(due: ""), "line 2: due_on", "Say when the invoice is due" },
        { CsvFiles.Row(due: "2026-11-22"), "line 2: due_on", "An invoice can't be due before it is issued." },
        { CsvFiles.Row(paid: "yes"), "line 2: paid_on", "'yes' is no date" },
        { CsvFiles.Row(description: ""), "line 2: description", "Say what the line is for." },
        { CsvFiles.Row(description: "a\0b"), "line 2: description", "Text can't contain the character U+0000." },
        { CsvFiles.Row(invoice: "a\0b"), "line 2: invoice", "Text can't contain the character U+0000." },
        { CsvFiles.Row(quantity: ""), "line 2: quantity", "Say how much." },
        { CsvFiles.Row(quantity: "0"), "line 2: quantity", "more than zero" },
        { CsvFiles.Row(quantity: "1.2345"), "line 2: quantity", "The quantity has three decimals at most." },
        { CsvFiles.Row(quantity: "\"2,5\""), "line 2: quantity", "'2,5' is no number: write it like 1234.5." },
        { CsvFiles.Row(quantity: "1e3"), "line 2: quantity", "'1e3' is no number" },
        { CsvFiles.Row(quantity: new('9', 60)), "line 2: quantity", "is no number" },
        { CsvFiles.Row(price: "-1"), "line 2: unit_price", "from 0 to 9,999,999" },
        { CsvFiles.Row(price: "1.23456"), "line 2: unit_price", "The unit price has four decimals at most." },
        { CsvFiles.Row() + ",more", "line 2", "This row has 11 fields, the header has 10." },
        { "A-1,Ada", "line 2", "This row has 2 fields, the header has 10." },
        { CsvFiles.Row(description: "\"never closed"), "line 2", "Quotes are opened and not closed" },
        { CsvFiles.Row(description: "in \"the middle"), "line 2", "Quotes are opened and not closed" },
        { "", "file", "The file has a header and no invoices." },
    };

    [Theory]
    [MemberData(nameof(BadRows))]
    public async Task A_bad_row_is_named_by_line_and_field(string row, string where, string words)
    {
        var acme = await app.NewCustomerAsync();

        var errors = await acme.RefusedAsync(CsvFiles.Of(row));

        Assert.Equal([where], errors.Keys);
        Assert.Contains(words, errors[where], StringComparison.Ordinal);
        Assert.Empty(await acme.InvoicesAsync());
    }

    [Theory]
    [InlineData("contact", "Line 3 of the same invoice says 'Ada Moreau'.")]
    [InlineData("email", "Line 3 of the same invoice says ''.")]
    [InlineData("currency", "Line 3 of the same invoice says 'EUR'.")]
    [InlineData("issued_on", "Line 3 of the same invoice says '2026-11-23'.")]
    [InlineData("due_on", "Line 3 of the same invoice says '2026-12-23'.")]
    [InlineData("paid_on", "Line 3 of the same invoice says ''.")]
    public async Task Rows_of_one_invoice_agree(string column, string words)
    {
        var acme = await app.NewCustomerAsync();
        var other = column switch
        {
            "contact" => CsvFiles.Row("B", contact: "Jonas"),
            "email" => CsvFiles.Row("B", email: "ada@example.com"),
            "currency" => CsvFiles.Row("B", currency: "USD"),
            "issued_on" => CsvFiles.Row("B", issued: "2026-11-24"),
            "due_on" => CsvFiles.Row("B", due: ""),
            _ => CsvFiles.Row("B", paid: "2026-11-24"),
        };

        Assert.Equal([($"line 5: {column}", words)],
            (await acme.RefusedAsync(CsvFiles.Of(CsvFiles.Row(), CsvFiles.Row("B"), CsvFiles.Row(), other)))
                .Select(e => (e.Key, e.Value)));
    }

    [Fact]
    public async Task Lines_are_counted_as_an_editor_does_and_all_that_is_wrong_is_said_at_once()
    {
        var acme = await app.NewCustomerAsync();
        var errors = await acme.RefusedAsync(CsvFiles.Of(
            CsvFiles.Row("1", description: "\"two\nlines\""), "",
            CsvFiles.Row("2", currency: "eur", quantity: "x", price: "-1"),
            CsvFiles.Row("1", due: "soon", description: "")));

        Assert.Equal(
            ["line 5: currency", "line 5: quantity", "line 5: unit_price", "line 6: description", "line 6: due_on"],
            errors.Keys.Order());
        Assert.Empty(await acme.InvoicesAsync());
    }

    [Fact]
    public async Task Too_many_problems_are_counted_and_the_first_ten_thousand_named()
    {
        var acme = await app.NewCustomerAsync();
        using var response = await acme.ImportAsync(
            CsvFiles.Of([.. Enumerable.Range(1, 11_234).Select(i => CsvFiles.Row($"{i}", quantity: "0"))]));

        var problem = (await response.Content.ReadFromJsonAsync<JsonNode>(Ct))!;
        Assert.Equal(
            "Nothing was written. These are 10,000 of the problems; there are 1,234 more.",
            (string)problem["detail"]!);
        Assert.Equal(Enumerable.Range(2, 10_000).Select(line => $"line {line}: quantity"),
            problem["errors"]!.AsObject().Select(error => error.Key));
    }

    [Fact]
    public async Task Columns_that_are_missing_unknown_or_doubled_are_named()
    {
        var acme = await app.NewCustomerAsync();

        var errors = await acme.RefusedAsync(
            "invoice,contact,contact,colour,currency,issued_on,due_on,description,unit_price\n");

        Assert.Equal(["line 1: colour", "line 1: contact", "line 1: quantity"], errors.Keys.Order());
        Assert.StartsWith("This column is unknown. Known are, parted by commas: invoice,contact,email,",
            errors["line 1: colour"], StringComparison.Ordinal);
        Assert.Equal("This column is there more than once.", errors["line 1: contact"]);
        Assert.Equal("This column is missing.", errors["line 1: quantity"]);
    }

    [Fact]
    public async Task An_empty_file_another_encoding_and_too_many_rows_are_said_to_be_so()
    {
        var acme = await app.NewCustomerAsync();

        Assert.StartsWith("The file is empty. Its first line names the columns: invoice,",
            (await acme.RefusedAsync(""))["file"], StringComparison.Ordinal);
        Assert.StartsWith("The file isn't UTF-8",
            (await acme.RefusedAsync(Encoding.Latin1.GetBytes(CsvFiles.Of(CsvFiles.Row(contact: "Zoë")))))["file"],
            StringComparison.Ordinal);
        Assert.StartsWith("The file isn't UTF-8",
            (await acme.RefusedAsync(
                [.. Encoding.Unicode.GetPreamble(),
                    .. Encoding.Unicode.GetBytes(CsvFiles.Of(CsvFiles.Row()))]))["file"], StringComparison.Ordinal);
        Assert.StartsWith("The file has more than 50,000 rows",
            (await acme.RefusedAsync(CsvFiles.Of([.. Enumerable.Repeat(CsvFiles.Row(), 50_001)])))["file"],
            StringComparison.Ordinal);
        Assert.Equal("An invoice has at most 500 lines.",
            (await acme.RefusedAsync(CsvFiles.Of([.. Enumerable.Repeat(CsvFiles.Row(), 501)])))["line 2: invoice"]);
        Assert.Empty(await acme.InvoicesAsync());
    }

    [Theory]
    [InlineData("application/json", 415, "Send the file as text/csv")]
    [InlineData("multipart/form-data; boundary=x", 400, "Send the file in the field 'file'.")]
    [InlineData("multipart/form-data", 400, "boundary")]
    public async Task A_body_that_holds_no_file_is_refused_in_words(string type, int status, string words)
    {
        var acme = await app.NewCustomerAsync();
        using var content = new StringContent(
            type.Contains("boundary=", StringComparison.Ordinal) ? "--x--\r\n" : "{}");
        content.Headers.ContentType = System.Net.Http.Headers.MediaTypeHeaderValue.Parse(type);

        using var response = await acme.Http.PostAsync("/invoices/import", content, Ct);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Contains(words, (string)(await response.Content.ReadFromJsonAsync<JsonNode>(Ct))!["detail"]!,
            StringComparison.Ordinal);
    }
}

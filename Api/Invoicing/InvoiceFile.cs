using System.Globalization;
using System.Text;
using CsvHelper;
using Data.Customers;

namespace Api.Invoicing;

/// <summary>An invoice of a file, with what a file can say beyond a request.</summary>
internal sealed record FiledInvoice(NewInvoice Invoice, DateOnly? PaidOn);

/// <summary>
/// Reads invoices from a CSV file: a header, then a row per line of an invoice. What makes an invoice good is said in
/// <see cref="NewInvoice"/> alone; here is what makes a file good.
/// </summary>
internal sealed class InvoiceFile(IReadOnlyDictionary<string, Currency> currencies)
{
    public const int MostRows = 50_000;

    /// <summary>The columns that say the same in all rows of an invoice.</summary>
    private static readonly string[] Head = ["contact", "email", "currency", "issued_on", "due_on", "paid_on"];

    private static readonly string[] Required = ["invoice", "contact", "currency", "issued_on", "due_on", "description",
        "quantity", "unit_price"];

    private static readonly string[] Columns = ["invoice", .. Head, "description", "quantity", "unit_price"];

    // A quote that is never closed must not take in the rest of the file; the longest good row has a twentieth of this.
    private static readonly CsvReaderOptions Options = new()
    {
        Separator = ',', MalformedData = CsvMalformedDataHandling.Throw, TrackLineNumbers = true,
        MaxRecordSize = 64 * 1024,
    };

    private readonly Dictionary<string, Draft> _drafts = [];

    public FileProblems Problems { get; } = new();

    /// <summary>In the order of their first rows; of use only if there are no <see cref="Problems"/>.</summary>
    public IEnumerable<FiledInvoice> Invoices =>
        _drafts.Values.Select(draft => new FiledInvoice(draft.Invoice, draft.PaidOn));

    public async Task ReadAsync(Stream stream, CancellationToken ct)
    {
        // Strict, and without a look at other encodings' marks: what isn't UTF-8 is refused rather than stored as
        // something else.
        using var text = new StreamReader(stream,
            new UTF8Encoding(encoderShouldEmitUTF8Identifier: true, throwOnInvalidBytes: true),
            detectEncodingFromByteOrderMarks: false);
        using var csv = CsvReader.Create(text, Options);
        try
        {
            await csv.ReadHeaderAsync(ct);
            if (!CheckHeader(csv.Headers))
            {
                return;
            }

            while (await csv.ReadAsync(ct))
            {
                if (csv.RowNumber > MostRows)
                {
                    Problems.OfFile($"The file has more than {MostRows:N0} rows: import it in parts.");
                    return;
                }

                if (csv.FieldCount != csv.Headers.Count)
                {
                    Problems.OfLine(
                        csv.LineNumber, $"This row has {csv.FieldCount} fields, the header has {csv.Headers.Count}.");
                    continue;
                }

                Add(new Row(csv, Problems));
            }
        }
        catch (CsvFormatException malformed)
        {
            Problems.OfLine(malformed.LineNumber,
                "Quotes are opened and not closed, or stand inside a field: put the whole field into quotes and " +
                "double those inside. The rest was not read.");
        }
        catch (DecoderFallbackException)
        {
            Problems.OfFile("The file isn't UTF-8: save it as “CSV UTF-8”.");
        }

        foreach (var draft in _drafts.Values)
        {
            Problems.Check(draft.Line, draft.Invoice);
        }

        if (_drafts.Count == 0 && Problems.Count == 0)
        {
            Problems.OfFile("The file has a header and no invoices.");
        }
    }

    private bool CheckHeader(IReadOnlyList<string> headers)
    {
        if (headers.Count == 0)
        {
            Problems.OfFile($"The file is empty. Its first line names the columns: {string.Join(',', Columns)}.");
        }

        foreach (var (name, count) in headers.CountBy(name => name.Trim().ToLowerInvariant()))
        {
            if (!Columns.Contains(name))
            {
                Problems.Of(1, FileProblems.Short(name),
                    $"This column is unknown. Known are, parted by commas: {string.Join(',', Columns)}.");
            }
            else if (count > 1)
            {
                Problems.Of(1, name, "This column is there more than once.");
            }
        }

        foreach (var missing in headers.Count == 0
            ? []
            : Required.Except(headers.Select(name => name.Trim().ToLowerInvariant())))
        {
            Problems.Of(1, missing, "This column is missing.");
        }

        return Problems.Count == 0;
    }

    private void Add(Row row)
    {
        var line = new NewInvoiceLine(row.Text("description"), row.Number("quantity"), row.Number("unit_price"));
        Problems.Check(row.Line, line);
        var key = row.Text("invoice");
        if (key is null)
        {
            Problems.Of(
                row.Line, "invoice", "Say which invoice the line belongs to: any text, the same in all its lines.");
        }
        else if (_drafts.TryGetValue(key, out var draft))
        {
            draft.Lines.Add(line);
            foreach (var column in Head.Where(column => row.Text(column) != draft.Head[column]))
            {
                Problems.Of(row.Line, column,
                    $"Line {draft.Line} of the same invoice says '{FileProblems.Short(draft.Head[column])}'.");
            }
        }
        else
        {
            _drafts.Add(key, Start(row, line));
        }
    }

    private Draft Start(Row row, NewInvoiceLine first)
    {
        var contact = new NewContact(row.Text("contact"), row.Text("email"));
        List<NewInvoiceLine?> lines = [first];
        var draft = new Draft(
            row.Line, Head.ToDictionary(column => column, row.Text), lines,
            new NewInvoice(contact, row.Text("currency"), row.Date("issued_on"), row.Date("due_on"), lines),
            row.Date("paid_on"));
        Problems.Check(row.Line, contact);
        Problems.Check(row.Line, draft.Invoice);
        if (draft.Invoice.Currency is { } code && !currencies.ContainsKey(code))
        {
            Problems.Of(row.Line, "currency", NewInvoice.UnknownCurrency(FileProblems.Short(code)));
        }

        return draft;
    }

    /// <summary>An invoice as its first row made it; the list of its lines grows.</summary>
    private sealed record Draft(
        long Line, Dictionary<string, string?> Head, List<NewInvoiceLine?> Lines, NewInvoice Invoice, DateOnly? PaidOn);

    /// <summary>The reader's current row. An empty field is null.</summary>
    private readonly struct Row(CsvReader csv, FileProblems problems)
    {
        public long Line { get; } = csv.LineNumber;

        public string? Text(string column)
        {
            var text = csv.TryGetFieldIndex(column, out var index) ? csv.GetString(index).Trim() : "";
            if (text.Contains('\0'))
            {
                problems.Of(Line, column, "Text can't contain the character U+0000.");
            }

            return text.Length == 0 ? null : text;
        }

        public decimal? Number(string column) =>
            Parsed<decimal>(column,
                (text, out value) =>
                    decimal.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign,
                        CultureInfo.InvariantCulture, out value), "no number: write it like 1234.5");

        public DateOnly? Date(string column) =>
            Parsed<DateOnly>(column,
                (text, out value) =>
                    DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None,
                        out value), "no date: write it like 2026-11-23");

        private T? Parsed<T>(string column, TryParse<T> parse, string otherwise) where T : struct
        {
            if (Text(column) is not { } text)
            {
                return null;
            }

            if (parse(text, out var value))
            {
                return value;
            }

            problems.Of(Line, column, $"'{FileProblems.Short(text)}' is {otherwise}.");
            return null;
        }

        private delegate bool TryParse<T>(string text, out T value);
    }
}

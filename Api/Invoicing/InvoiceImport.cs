using System.Globalization;
using Api.Contract;
using Data.Customers;
using Data.Invoicing;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.EntityFrameworkCore;
using Microsoft.Net.Http.Headers;
using Microsoft.OpenApi;
using Tenancy;

namespace Api.Invoicing;

/// <summary>The invoices of a CSV file, written by binary COPY in one transaction: all of them, or none.</summary>
internal static class InvoiceImport
{
    /// <summary>In bytes.</summary>
    public const int LargestFile = 10 * 1024 * 1024;

    public static void MapImport(this RouteGroupBuilder invoices, string name) => invoices.MapPost("/import", Import)
        .WithName(name)
        .WithSummary("Writes the invoices of a CSV file: all of them, or none.")
        .WithDescription(
            "UTF-8, a header, then one row per line of an invoice. Columns: invoice (any text; rows with the same " +
            "text are one invoice), " +
            "contact, email (optional), currency, issued_on, due_on, paid_on (optional), description, quantity, " +
            "unit_price. Dates as " +
            "2026-11-23, numbers as 1234.5. Rows of one invoice say the same in all columns but the last three. " +
            "Every rule of writing one " +
            $"invoice holds. At most {InvoiceFile.MostRows:N0} rows. The numbers follow the file's order.")
        .WithMetadata(new RequestSizeLimitAttribute(LargestFile))
        .ProducesProblem(413).ProducesProblem(415)
        .AddOpenApiOperationTransformer(DescribeBody).Idempotent();

    private static async Task<Results<Ok<ImportedInvoices>, ValidationProblem, ProblemHttpResult>> Import(
        HttpRequest request, InvoicingContext db, TimeProvider time, CancellationToken ct)
    {
        // The server keeps to the limit, too, but says it in other words.
        if (request.ContentLength > LargestFile)
        {
            return TooLarge();
        }

        var currencies = await db.Currencies.AsNoTracking().ToDictionaryAsync(c => c.Code, ct);
        var file = new InvoiceFile(currencies);
        try
        {
            var (content, refusal) = await ContentAsync(request, ct);
            if (content is null)
            {
                return refusal!;
            }

            await file.ReadAsync(content, ct);
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return TooLarge();
        }

        if (file.Problems.Count > 0)
        {
            var listed = file.Problems.Listed();
            var more = file.Problems.Count - listed.Count;
            return TypedResults.ValidationProblem(
                listed, title: "The file can't be imported.", detail: "Nothing was written." +
                    (more == 0 ? "" : string.Create(CultureInfo.InvariantCulture,
                        $" These are {listed.Count:N0} of the problems; there {(more == 1 ? "is" : "are")} " +
                        $"{more:N0} more.")));
        }

        return TypedResults.Ok(await WriteAsync(file, currencies, db, time.GetUtcNow(), ct));
    }

    /// <returns>The file, or why there is none.</returns>
    private static async Task<(Stream? Content, ProblemHttpResult? Refusal)> ContentAsync(
        HttpRequest request, CancellationToken ct)
    {
        var type = MediaTypeHeaderValue.TryParse(request.ContentType, out var parsed) ? parsed.MediaType.Value : null;
        if (string.Equals(type, "text/csv", StringComparison.OrdinalIgnoreCase))
        {
            return (request.Body, null);
        }

        if (!string.Equals(type, "multipart/form-data", StringComparison.OrdinalIgnoreCase))
        {
            return (null, TypedResults.Problem(
                "Send the file as text/csv, or as the field 'file' of multipart/form-data.", statusCode: 415,
                title: "That is no CSV file."));
        }

        try
        {
            return (await request.ReadFormAsync(ct)).Files["file"] is { } sent
                ? (sent.OpenReadStream(), null)
                : (null, TypedResults.Problem(
                    "Send the file in the field 'file'.", statusCode: 400, title: "There is no file."));
        }
        catch (InvalidDataException e)
        {
            return (null, TypedResults.Problem(e.Message, statusCode: 400, title: "The form can't be read."));
        }
    }

    private static async Task<ImportedInvoices> WriteAsync(
        InvoiceFile file, Dictionary<string, Currency> currencies, InvoicingContext db, DateTimeOffset now,
        CancellationToken ct)
    {
        await using var transaction = await db.BeginUnlessBegunAsync(ct);
        // Imports of one customer queue here, so that the second finds the first one's contacts. Whoever reads or
        // writes one row doesn't wait. The other two are what COPY takes anyway: a command that waits is cancelled on
        // the server, a COPY that waits goes on waiting there.
        await db.Database.ExecuteSqlRawAsync(
            $"""
            LOCK TABLE "{TenantPlaceholder.Schema}".contacts IN SHARE UPDATE EXCLUSIVE MODE;
            LOCK TABLE "{TenantPlaceholder.Schema}".invoices, "{TenantPlaceholder.Schema}".invoice_lines IN ROW EXCLUSIVE MODE
            """,
            ct);

        var given = file.Invoices.Select(filed => filed.Invoice.Contact!).DistinctBy(contact =>
            contact.Known()).ToList();
        await db.AddMissingAsync([.. given.Select(contact => contact.ToContact(now))], ct);
        var names = given.Select(contact => contact.Known().Name).Distinct().ToArray();
        var contacts = (await db.Contacts.AsNoTracking().Where(c => names.Contains(c.Name)).OrderBy(c => c.Id)
            .ToListAsync(ct))
            .DistinctBy(c => (c.Name, c.Email)).ToDictionary(c => (c.Name, c.Email));
        var invoices = file.Invoices
            .Select(filed => filed.Invoice.ToInvoice(
                contacts[filed.Invoice.Contact!.Known()], currencies[filed.Invoice.Currency!], now, filed.PaidOn))
            .ToList();
        await db.CopyAsync(invoices, ct);
        await db.CopyAsync(invoices.SelectMany(invoice => invoice.Lines), ct);

        // The identity counts in the order of the rows: these two are the lowest and the highest.
        var (first, last) = (invoices[0].Id, invoices[^1].Id);
        var numbers = await db.Invoices.Where(i => i.Id == first || i.Id == last).Select(i => i.Number).ToListAsync(ct);
        await transaction.CommitIfBegunAsync(ct);
        return new(invoices.Count, invoices.Sum(invoice => invoice.Lines.Count), numbers.Min(), numbers.Max());
    }

    private static ProblemHttpResult TooLarge() => TypedResults.Problem(
        $"A file has at most {LargestFile / 1024 / 1024} MB: import it in parts. Nothing was written.", statusCode: 413,
        title: "The file is too large.");

    /// <summary>The handler reads the body itself, so the document has to be told of it.</summary>
    private static Task DescribeBody(
        OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken ct)
    {
        var text = new OpenApiSchema { Type = JsonSchemaType.String };
        operation.RequestBody = new OpenApiRequestBody
        {
            Required = true,
            Content = new Dictionary<string, OpenApiMediaType>
            {
                ["text/csv"] = new() { Schema = text, Example = Example },
                ["multipart/form-data"] = new()
                {
                    Schema = new OpenApiSchema
                    {
                        Type = JsonSchemaType.Object,
                        Properties = new Dictionary<string, IOpenApiSchema> { ["file"] =
                            new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary" } },
                        Required = new HashSet<string> { "file" },
                    },
                },
            },
        };
        return Task.CompletedTask;
    }

    private const string Example = """
        invoice,contact,email,currency,issued_on,due_on,paid_on,description,quantity,unit_price
        A-1,Ada Moreau,ada@example.com,EUR,2026-11-23,2026-12-23,,Support,2.5,80
        """;
}

/// <summary>What an import wrote.</summary>
/// <param name="Invoices">How many invoices.</param>
/// <param name="Lines">How many lines they have together.</param>
/// <param name="FirstNumber">The first invoice's number; the others follow in the file's order.</param>
/// <param name="LastNumber">The last one's. Numbers between may be another's, if somebody wrote an invoice at the same
/// time.</param>
public sealed record ImportedInvoices(int Invoices, int Lines, int FirstNumber, int LastNumber);

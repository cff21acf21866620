using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Api.Contract;
using Api.Tenants;
using Data.Customers;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Tenancy;

namespace Api.Operations;

/// <summary>
/// For operators: a customer goes into a file, out of one, is cloned, or moves elsewhere. Each is an operation.
/// </summary>
internal static class CustomerCopies
{
    private const string Zip = "application/zip";

    public static void MapCopies(this RouteGroupBuilder customer)
    {
        customer.MapPost("/export", Export).WithName("ExportCustomer")
            .WithSummary("Begins to export a customer: the operation has the file.");
        customer.MapPost("/clone", Clone).WithName("CloneCustomer")
            .WithSummary("Begins to make a customer with another one's rows, e.g. as a sandbox.").ProducesProblem(409);
        customer.MapPost("/move", CustomerMoves.Move).WithName("MoveCustomer")
            .WithSummary("Begins to move a customer to another database, or to another node of a Citus cluster.");
        customer.MapPost("/import", Import).WithName("ImportCustomer")
            .WithSummary("Begins to make a customer, with this slug, from an export.").ProducesProblem(409)
            .ProducesProblem(413).ProducesProblem(415)
            .WithMetadata(new RequestSizeLimitAttribute(new TenantImportLimits().FileBytes))
            .AddOpenApiOperationTransformer(DescribeBody);
    }

    /// <summary>
    /// Said here, because <c>Accepts</c> would answer 415 before it is known who asks.
    /// </summary>
    private static Task DescribeBody(
        OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken ct)
    {
        operation.RequestBody = new OpenApiRequestBody
        {
            Required = true,
            Content = new Dictionary<string, OpenApiMediaType>
            {
                [Zip] = new() { Schema = new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary" } },
            },
        };
        return Task.CompletedTask;
    }

    private static async Task<Results<Accepted<OperationView>, ProblemHttpResult>> Export(
        string slug, HttpContext http, Tenancy.Tenants tenants, TenantOperations operations, CancellationToken ct)
    {
        using var scope = http.Name(slug);
        return !await ExistsAsync(tenants, slug, ct)
            ? CustomerProblems.Unknown(slug)
            : await AskAsync(http, operations, OperationKinds.Export, slug, [], null, ct);
    }

    private static async Task<Results<Accepted<OperationView>, ValidationProblem, ProblemHttpResult>> Clone(
        string slug, CustomerClone clone, HttpContext http, Tenancy.Tenants tenants, TenantOperations operations,
        TenancyOptions tenancy, CancellationToken ct)
    {
        using var scope = http.Name(slug);
        if (tenancy.RefuseUnknown(clone.Database, "Leave it out for the original's") is { } refused)
        {
            return refused;
        }

        if (!await ExistsAsync(tenants, slug, ct))
        {
            return CustomerProblems.Unknown(slug);
        }

        return await ExistsAsync(tenants, clone.Slug!, ct)
            ? CustomerProblems.Taken(clone.Slug!)
            : await AskAsync(http, operations, OperationKinds.Clone, slug,
                In(clone.Database, new() { ["newSlug"] = clone.Slug, ["name"] = clone.Name?.Trim() }), null, ct);
    }

    private static async Task<Results<Accepted<OperationView>, ValidationProblem, ProblemHttpResult>> Import(
        string slug, HttpContext http, Tenancy.Tenants tenants, TenantOperations operations, TenancyOptions tenancy,
        CancellationToken ct,
        [StringLength(Customer.LongestName, MinimumLength = 1), PlainText(AllowBlank = false)] string? name = null,
        [RegularExpression(ChosenDatabase.Pattern, ErrorMessage = ChosenDatabase.Rule)] string? database = null)
    {
        using var scope = http.Name(slug);
        if (!CustomerSlug.IsValid(slug))
        {
            return TypedResults.ValidationProblem(
                new Dictionary<string, string[]> { ["slug"] = ["Use " + CustomerSlug.Rule + "."] });
        }

        if (tenancy.RefuseUnknown(database, "Leave it out for the first one") is { } refused)
        {
            return refused;
        }

        if (http.Request.ContentType?.Split(';')[0].Trim() != Zip)
        {
            return TypedResults.Problem($"The body has to be an export: Content-Type: {Zip}.", statusCode: 415,
                title: "Not an export.");
        }

        if (await ExistsAsync(tenants, slug, ct))
        {
            return CustomerProblems.Taken(slug);
        }

        try
        {
            return await AskAsync(http, operations, OperationKinds.Import, slug,
                In(database, new() { ["name"] = name?.Trim() }), http.Request.Body, ct);
        }
        catch (TenantTransferException e)
        {
            return TypedResults.Problem(e.Message, statusCode: 413, title: "The file is too long.");
        }
    }

    private static JsonObject In(string? database, JsonObject arguments)
    {
        if (database is not null)
        {
            arguments["database"] = database;
        }

        return arguments;
    }

    public static async Task<bool> ExistsAsync(Tenancy.Tenants tenants, string slug, CancellationToken ct) =>
        CustomerSlug.IsValid(slug) && (await tenants.SearchAsync(new() { Slug = slug }, ct)).Total > 0;

    public static async Task<Accepted<OperationView>> AskAsync(HttpContext http, TenantOperations operations,
        string kind, string slug, JsonObject arguments, Stream? file, CancellationToken ct)
    {
        var asked = await operations.AskAsync(
            kind, slug, http.User.Identity?.Name ?? "an operator", arguments, file, ct: ct);
        return TypedResults.Accepted(OperationView.At(asked.Id), OperationView.Of(asked));
    }
}

/// <summary>The customer that a clone becomes.</summary>
/// <param name="Slug">The new customer's slug.</param>
/// <param name="Name">Its name; left out for the slug.</param>
/// <param name="Database">The database that its schema is made in; <c>first</c> is the first one. Left out for the
/// original's.</param>
public sealed record CustomerClone(
    [property: Required(ErrorMessage = "Use " + CustomerSlug.Rule + "."),
        RegularExpression(CustomerSlug.Pattern, ErrorMessage = "Use " + CustomerSlug.Rule + ".")]
    string? Slug,
    [property: StringLength(Customer.LongestName, MinimumLength = 1), PlainText(AllowBlank = false)]
    string? Name = null,
    [property: RegularExpression(ChosenDatabase.Pattern, ErrorMessage = ChosenDatabase.Rule)] string? Database = null);

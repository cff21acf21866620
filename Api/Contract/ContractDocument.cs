using System.Text.Json.Nodes;
using Api.Access;
using Api.Customers;
using Api.Invoicing;
using Api.Operations;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Api.Contract;

/// <summary>
/// What the OpenAPI document says beyond the endpoints: credentials, the one form of problems, examples.
/// </summary>
internal static class ContractDocument
{
    private const string Problem = "ProblemDetails";
    private const string Validation = "HttpValidationProblemDetails";
    private const string ProblemJson = "application/problem+json";

    private static readonly Dictionary<string, string> Tags = new()
    {
        ["API keys"] = "Keys of operators and of customers. For operators.",
        ["Audit"] = "What operators did in customers' names. For operators.",
        ["Contacts"] = "Whom one customer sends invoices to.",
        ["Currencies"] = "The currencies that invoices may be in.",
        ["Customers"] = "Who the customers are. For operators.",
        ["Fleet"] = "All customers' schemas and the runs over them. For operators.",
        ["Invoices"] = "The invoices of one customer.",
        ["Operations"] = "What takes long: how far it is, and what came of it. For operators.",
        ["Reports"] = "What is owed to each customer. For operators.",
        ["Settings"] = "What one customer has chosen for itself.",
    };

    private static readonly Dictionary<Type, string> Examples = new()
    {
        [typeof(NewCustomer)] = """{"slug":"umbrella","name":"Umbrella GmbH"}""",
        [typeof(NewImpersonation)] = """{"reason":"Ticket 4711: the import fails","minutes":15}""",
        [typeof(NewContact)] = """{"name":"Ada Moreau","email":"ada@example.com"}""",
        [typeof(CustomerChange)] = """{"name":"Umbrella Holding","ring":0}""",
        [typeof(CustomerClone)] = """{"slug":"umbrella-sandbox","name":"Umbrella, to try things"}""",
        [typeof(CustomerMove)] = """{"database":"first"}""",
        [typeof(FleetRequest)] = """{"ring":0}""",
        [typeof(MigrationsBack)] = """{"to":"20261201093000_Discounts","migrations":["20261208101500_Rebates"],"ring":0}""",
        [typeof(Halting)] = """{"reason":"The new index takes too long"}""",
        [typeof(NewApiKey)] = """{"name":"shop floor","customer":"umbrella"}""",
        [typeof(InvoicePayment)] = """{"paidOn":"2026-12-01"}""",
        [typeof(NewSettings)] = """{"currency":"EUR"}""",
        [typeof(NewInvoice)] =
            """
            {"contact":{"name":"Ada Moreau","email":"ada@example.com"},"currency":"EUR","issuedOn":"2026-11-23",
             "dueOn":"2026-12-23","lines":[{"description":"Consulting","quantity":2.5,"unitPrice":120}]}
            """,
    };

    public static void DescribeContract(this OpenApiOptions options)
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        // The document has each operation once.
        options.ShouldInclude = operation => operation.HttpMethod != HttpMethods.Head;
        options.AddSchemaTransformer((schema, context, _) =>
        {
            schema.Pattern = Ecma(schema.Pattern);
            // What is required can't be null: the type says nothing of the attribute.
            foreach (var name in schema.Required ?? new HashSet<string>())
            {
                if (schema.Properties is not null && schema.Properties.TryGetValue(name, out var property)
                    && property is OpenApiSchema { Type: { } type } required)
                {
                    required.Type = type & ~JsonSchemaType.Null;
                }
            }

            if (Examples.TryGetValue(context.JsonTypeInfo.Type, out var example))
            {
                schema.Examples = [JsonNode.Parse(example)!];
            }

            return Task.CompletedTask;
        });
        options.AddOperationTransformer(DescribeOperation);
        options.AddDocumentTransformer((document, _, _) =>
        {
            Describe(document);
            return Task.CompletedTask;
        });
    }

    private static async Task DescribeOperation(
        OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken ct)
    {
        operation.Description ??= operation.Summary;
        foreach (var schema in (operation.Parameters ?? []).Select(parameter => parameter.Schema)
            .OfType<OpenApiSchema>())
        {
            schema.Pattern = Ecma(schema.Pattern);
        }

        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        var problem = await context.GetOrCreateSchemaAsync(
            typeof(Microsoft.AspNetCore.Mvc.ProblemDetails), cancellationToken: ct);
        context.Document?.AddComponent(Problem, problem);
        var responses = operation.Responses ??= [];
        if (context.Description.ParameterDescriptions.Count > 0 || operation.Parameters is { Count: > 0 })
        {
            Add("400", "The request isn't valid: errors says what is wrong with which field.");
        }

        if (!metadata.OfType<IAllowAnonymous>().Any())
        {
            Add("401", "There is no credential, or it is unknown, expired or revoked.");
            Add("403", "The credential may not do this.");
            operation.Security =
            [
                new() { [new OpenApiSecuritySchemeReference("bearer", context.Document)] = [] },
                new() { [new OpenApiSecuritySchemeReference("apiKey", context.Document)] = [] },
            ];
        }

        if (metadata.OfType<Tenancy.AspNetCore.RequireTenantAttribute>().Any())
        {
            Add("429", "The customer sends more than its limits allow: Retry-After says when to ask again.");
        }

        Add("503",
            "The database can't be reached, or the customer is being upgraded: Retry-After says when to ask again.");

        void Add(string status, string description)
        {
            if (!responses.TryGetValue(status, out var response))
            {
                responses[status] = response = new OpenApiResponse
                {
                    Content = new Dictionary<string, OpenApiMediaType>
                    {
                        [ProblemJson] = new() { Schema = new OpenApiSchemaReference(Problem, context.Document) },
                    },
                };
            }

            response.Description = description;
        }
    }

    /// <summary>.NET's end of the text; ECMA-262, which the document's readers use, has another sign for it.</summary>
    private static string? Ecma(string? pattern) => pattern?.Replace(@"\z", "$", StringComparison.Ordinal);

    private static void Describe(OpenApiDocument document)
    {
        document.Info.Title = "Invoicing API";
        document.Info.Version = $"{Responses.Version}.0.0";
        document.Info.Description = "Customers and their invoices. Every operation needs a key or a token.";
        document.Info.Contact = new() { Name = "The maintainers" };
        document.Info.License = new() { Name = "MIT", Identifier = "MIT" };
        foreach (var server in document.Servers ?? [])
        {
            server.Url = server.Url?.TrimEnd('/');
        }

        document.Tags = new HashSet<OpenApiTag>(
            Tags.Select(tag => new OpenApiTag { Name = tag.Key, Description = tag.Value }));
        var components = document.Components ??= new();
        var schemes = components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
        schemes["bearer"] = new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "An API key, or an issuer's token.",
        };
        schemes["apiKey"] = new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.ApiKey, In = ParameterLocation.Header, Name = ApiKeyHandler.Header,
            Description = "An API key.",
        };
        HaveOneProblem(document, components);
    }

    /// <summary>One form for all problems: a client needs one type.</summary>
    private static void HaveOneProblem(OpenApiDocument document, OpenApiComponents components)
    {
        var schemas = components.Schemas ??= new Dictionary<string, IOpenApiSchema>();
        schemas.Remove(Validation);
        if (schemas.TryGetValue(Problem, out var known) && known is OpenApiSchema problem)
        {
            problem.AdditionalPropertiesAllowed = true;
            problem.Description = "What went wrong, as RFC 9457 says it.";
            var properties = problem.Properties ??= new Dictionary<string, IOpenApiSchema>();
            properties["traceId"] = new OpenApiSchema
            {
                Type = JsonSchemaType.String, Description = "The trace of the request, as logs and traces name it.",
            };
            properties["errors"] = new OpenApiSchema
            {
                Type = JsonSchemaType.Object,
                Description = "What is wrong with each field, by the field's path in the request: lines[0].quantity.",
                AdditionalProperties = new OpenApiSchema
                {
                    Type = JsonSchemaType.Array, Items = new OpenApiSchema { Type = JsonSchemaType.String },
                },
            };
        }

        foreach (var media in document.Paths.Values.SelectMany(path => path.Operations ?? [])
            .SelectMany(operation => operation.Value.Responses ?? [])
            .SelectMany(response => response.Value.Content ?? new Dictionary<string, OpenApiMediaType>())
            .Where(content => content.Key == ProblemJson))
        {
            media.Value.Schema = new OpenApiSchemaReference(Problem, document);
        }
    }
}

using Data.Invoicing;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Api.Contract;

/// <summary>What the OpenAPI document says of <see cref="Idempotency"/>: nothing else tells it of the header.</summary>
internal static class IdempotencyDocument
{
    public static RouteHandlerBuilder DescribeIdempotency(this RouteHandlerBuilder operation) => operation
        .ProducesProblem(409).ProducesProblem(422).AddOpenApiOperationTransformer(DescribeAsync);

    private static Task DescribeAsync(
        OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken ct)
    {
        (operation.Parameters ??= []).Add(new OpenApiParameter
        {
            Name = Idempotency.Header,
            In = ParameterLocation.Header,
            Description = "A key of the caller's choice, a new one for each request. A repetition of the request with " +
                "the same key within 24 hours changes nothing and gets the first response again.",
            Schema = new OpenApiSchema
            {
                Type = JsonSchemaType.String, MinLength = 1, MaxLength = IdempotencyKey.LongestKey,
                Pattern = "^[!-~]+$",
            },
        });
        foreach (var (status, response) in operation.Responses ?? [])
        {
            if (status[0] == '2' && response is OpenApiResponse success)
            {
                (success.Headers ??= new Dictionary<string, IOpenApiHeader>())[StoredResponse.ReplayedHeader] =
                    new OpenApiHeader
                    {
                        Description = "true, where the response is an earlier request's with the same key.",
                        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
                    };
            }
        }

        Describe("409", "It clashes with what is there, or a request with the same key is being answered.");
        Describe("422", "The key was sent with another request.");
        return Task.CompletedTask;

        void Describe(string status, string description)
        {
            if (operation.Responses?.GetValueOrDefault(status) is { } response)
            {
                response.Description = description;
            }
        }
    }
}

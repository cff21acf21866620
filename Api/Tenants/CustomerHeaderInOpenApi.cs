using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Api.Tenants;

/// <summary>The header is read by a middleware, so the document has to be told of it.</summary>
internal static class CustomerHeaderInOpenApi
{
    public static void AddCustomerHeader(this OpenApiOptions options) =>
        options.AddOperationTransformer((operation, context, _) =>
        {
            if (context.Description.ActionDescriptor.EndpointMetadata.OfType<NeedsTenant>().Any())
            {
                (operation.Parameters ??= []).Add(new OpenApiParameter
                {
                    Name = CustomerResolution.Header,
                    In = ParameterLocation.Header,
                    Required = true,
                    Description = "The customer's slug.",
                    Schema = new OpenApiSchema { Type = JsonSchemaType.String },
                });
            }

            return Task.CompletedTask;
        });
}

using Data.Customers;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Tenancy;
using Tenancy.AspNetCore;

namespace Api.Tenants;

/// <summary>The header that names a customer by its slug.</summary>
internal static class CustomerHeader
{
    public const string Header = "X-Customer";

    /// <summary>A middleware reads the header and the path, so the document has to be told of them.</summary>
    public static void AddCustomerHeader(this OpenApiOptions options) =>
        options.AddOperationTransformer((operation, context, _) =>
        {
            if (context.Description.ActionDescriptor.EndpointMetadata.OfType<RequireTenantAttribute>().Any())
            {
                var isInPath = context.Description.RelativePath?.Contains("{customer}",
                    StringComparison.Ordinal) is true;
                (operation.Parameters ??= []).Insert(0, new OpenApiParameter
                {
                    Name = isInPath ? "customer" : Header,
                    In = isInPath ? ParameterLocation.Path : ParameterLocation.Header,
                    Required = isInPath,
                    Description = isInPath
                        ? "The customer's slug."
                        : "The customer's slug. A customer's own credential says it already.",
                    Schema = new OpenApiSchema { Type = JsonSchemaType.String, Pattern = CustomerSlug.Pattern },
                });
            }

            return Task.CompletedTask;
        });

    /// <summary>Puts a customer's slug on the span and the log records of an operator's request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="slug">What was named; nothing happens where it can't be a slug.</param>
    /// <returns>The log scope.</returns>
    public static IDisposable? Name(this HttpContext context, string? slug)
    {
        if (!CustomerSlug.IsValid(slug))
        {
            return null;
        }

        TenancyTelemetry.TagTenant(slug!);
        return context.RequestServices.GetRequiredService<ILogger<Customer>>().BeginTenantScope(slug!);
    }
}

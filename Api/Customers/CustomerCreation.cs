using System.ComponentModel.DataAnnotations;
using System.Security.Cryptography;
using System.Text;
using Api.Contract;
using Api.Operations;
using Api.Tenants;
using Data;
using Data.Customers;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Tenancy;

namespace Api.Customers;

/// <summary>For operators: a new customer.</summary>
internal static class CustomerCreation
{
    public static void MapCreation(this RouteGroupBuilder customers) => customers.MapPost("/", Create)
        .WithName("CreateCustomer").WithSummary("Creates a customer: its schema exists, migrated, when this returns.")
        .ProducesProblem(403).ProducesProblem(404).DescribeIdempotency();

    private static async Task<Results<CreatedAtRoute<CustomerView>, ValidationProblem, ProblemHttpResult>> Create(
        NewCustomer customer, HttpContext http, CustomerRegistry registry, TenantDirectory directory,
        Tenancy.Tenants tenants, IConfiguration configuration, TenancyOptions tenancy, CancellationToken ct)
    {
        using var scope = http.Name(customer.Slug);
        if (!configuration.MayCreateCustomers())
        {
            return TypedResults.Problem(
                "It has no login that may make schemas. Run the migration job's command: create SLUG --name NAME.",
                statusCode: 403, title: "This API doesn't create customers.");
        }

        if (tenancy.RefuseUnknown(customer.Database, "Leave it out for the first one") is { } refused)
        {
            return refused;
        }

        var database = customer.Database == TenancyOptions.FirstDatabase ? null : customer.Database;
        Guid? id = null;
        if (http.Request.Headers.TryGetValue(Idempotency.Header, out var keys))
        {
            if (!Idempotency.IsKey(keys, out var key))
            {
                return Idempotency.NoKey();
            }

            id = IdOf(http.User.Identity?.Name, key);
        }

        try
        {
            await (database is null
                ? registry.CreateAsync(customer.Slug, customer.Name.Trim(), id: id, ct: ct)
                : registry.CreateInAsync(database, customer.Slug, customer.Name.Trim(), id, ct));
            await directory.ForgetAsync(customer.Slug, ct);
        }
        catch (SlugTakenException) when (id is not null)
        {
            // The key's customer, or another one with the slug.
            if (await FindAsync(http, id.Value, ct) is not { } made)
            {
                throw;
            }

            if ((made.Slug, made.Name, made.Database) != (customer.Slug, customer.Name.Trim(), database))
            {
                return Idempotency.OtherRequest();
            }

            http.Response.Headers[StoredResponse.ReplayedHeader] = "true";
        }

        // Somebody may have renamed it meanwhile.
        return (await tenants.SearchAsync(new() { Slug = customer.Slug }, ct)).Items is [var created]
            ? TypedResults.CreatedAtRoute(CustomerView.Of(created), "FindCustomer", new { slug = customer.Slug })
            : CustomerProblems.Unknown(customer.Slug);
    }

    private static Task<Customer?> FindAsync(HttpContext http, Guid id, CancellationToken ct) =>
        http.RequestServices.GetRequiredService<CustomersContext>().Customers.AsNoTracking()
            .SingleOrDefaultAsync(one => one.Id == id, ct);

    /// <summary>
    /// The customer has no schema that could keep the key. So its id is made of the key: a repetition finds the
    /// customer by it. A UUID of version 8 (RFC 9562), for ids made in ways of one's own.
    /// </summary>
    private static Guid IdOf(string? caller, string key)
    {
        var bytes = SHA256.HashData(Encoding.UTF8.GetBytes($"{caller}\n{key}"))[..16];
        bytes[6] = (byte)(bytes[6] & 0x0F | 0x80);
        bytes[8] = (byte)(bytes[8] & 0x3F | 0x80);
        return new(bytes, bigEndian: true);
    }
}

/// <summary>A customer to be created.</summary>
/// <param name="Slug">Its name in addresses.</param>
/// <param name="Name">Its name in words.</param>
/// <param name="Database">The database that its schema is made in; <c>first</c>, or left out, for the first
/// one.</param>
public sealed record NewCustomer(
    [property: Required(ErrorMessage = "Use " + CustomerSlug.Rule + "."),
        RegularExpression(CustomerSlug.Pattern, ErrorMessage = "Use " + CustomerSlug.Rule + ".")] string Slug,
    [property: Required(ErrorMessage = "Give the customer a name."), StringLength(Customer.LongestName),
        PlainText] string Name,
    [property: RegularExpression(ChosenDatabase.Pattern, ErrorMessage = ChosenDatabase.Rule)] string? Database = null);

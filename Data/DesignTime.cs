using Data.Customers;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Npgsql;
using Tenancy;

namespace Data;

/// <summary>
/// What <c>dotnet ef</c> uses. Making a migration asks no server; what does ask one reads the environment variable
/// <c>ConnectionStrings__tenants</c>.
/// </summary>
internal static class DesignTime
{
    public static string ConnectionString =>
        Environment.GetEnvironmentVariable("ConnectionStrings__tenants") ?? "Host=localhost;Database=tenants";
}

internal sealed class CustomersContextFactory : IDesignTimeDbContextFactory<CustomersContext>
{
    public CustomersContext CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<CustomersContext>()
            .UseNpgsql(DesignTime.ConnectionString, CustomersContext.History).Options);
}

/// <summary>
/// Without a customer, whatever reaches the server is refused: <c>dotnet ef database update</c> has no schema to go to.
/// With one, <c>dotnet ef database update --context InvoicingContext -- --customer acme</c>, EF's tools work on that
/// customer's schema.
/// </summary>
internal sealed class InvoicingContextFactory : IDesignTimeDbContextFactory<InvoicingContext>
{
    public InvoicingContext CreateDbContext(string[] args)
    {
        var options = new DbContextOptionsBuilder<InvoicingContext>();
        options.UseNpgsql(DesignTime.ConnectionString).UseTenancy();
        var context = new InvoicingContext(options.Options);
        return Array.IndexOf(args, "--customer") is >= 0 and var at && at + 1 < args.Length
            ? context.For(Find(args[at + 1]))
            : context;
    }

    private static Tenant Find(string slug)
    {
        using var connection = new NpgsqlConnection(DesignTime.ConnectionString);
        connection.Open();
        using var find = new NpgsqlCommand("SELECT id, schema FROM public.customers WHERE slug = $1", connection)
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = slug } },
        };
        using var rows = find.ExecuteReader();
        return rows.Read()
            ? new Tenant(rows.GetGuid(0), slug, SchemaName.Parse(rows.GetString(1)))
            : throw new InvalidOperationException($"No customer has the slug '{slug}'.");
    }
}

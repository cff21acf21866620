using Data.Customers;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;

namespace Data;

/// <summary>What Api and job have in common.</summary>
public static class DataRegistration
{
    /// <summary>The name of the connection string, and of the resource in the AppHost.</summary>
    public const string ConnectionName = "tenants";

    /// <summary>Registers both contexts over one pool, the registry and the library's verbs.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="connectionString">The database's, required.</param>
    public static IServiceCollection AddData(this IServiceCollection services, string? connectionString)
    {
        services.AddTenancy<InvoicingContext>(options =>
        {
            options.ConnectionString = connectionString ?? "";
            options.FindTenant = (provider, slug, ct) =>
                CustomerRegistry.FindTenantAsync(provider.GetRequiredService<CustomersContext>(), slug, ct);
        });
        services.AddDbContextPool<CustomersContext>((provider, options) => options.UseNpgsql(provider.GetRequiredService<NpgsqlDataSource>(), CustomersContext.History));
        services.AddScoped<CustomerRegistry>();
        return services;
    }
}

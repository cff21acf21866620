using Data;
using Data.Customers;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Tenancy;
using Tenancy.Cli;

namespace MigrationService;

/// <summary>The job of this application.</summary>
internal static class CustomerJob
{
    /// <param name="args">The command line.</param>
    /// <param name="create">Makes the host's builder, with its settings; null for the program's own.</param>
    /// <returns>The exit code.</returns>
    public static Task<int> RunAsync(string[] args, Func<HostApplicationBuilder>? create = null) =>
        TenancyJob.RunAsync(args, () => Add(create?.Invoke() ?? Create()), job => job
            .Called("customer")
            .MigrateShared(create: Shared)
            .BeforeTenants(EnsureLoginsAsync)
            .AfterTenants(AddDemoCustomersAsync)
            .AddCommand("demo",
                "Adds the demo customers with their invoices: acme, globex and initech. A customer that exists stays " +
                "as it is.",
                async (services, output, ct) =>
                {
                    var added = await services.GetRequiredService<DemoCustomers>().AddAsync(ct);
                    await output.WriteLineAsync(added.Count == 0
                        ? "The demo customers exist already."
                        : $"Added {string.Join(", ", added)}, with invoices.");
                }));

    private static HostApplicationBuilder Create() => Host.CreateApplicationBuilder(
        new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory });

    private static HostApplicationBuilder Add(HostApplicationBuilder builder)
    {
        builder.AddServiceDefaults();
        builder.Services.AddData(builder.Configuration).AddScoped<DemoCustomers>();
        builder.EnrichNpgsqlDbContext<CustomersContext>(settings => settings.DisableRetry = true);
        return builder;
    }

    private static CustomersContext Shared(IServiceProvider services)
    {
        var options = new DbContextOptionsBuilder<CustomersContext>();
        options.UseCustomers(services.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.OwnerKey));
        return new(options.Options);
    }

    // In each database: the logins that the API has, each a member of its role: the owner alone may make them.
    private static async Task EnsureLoginsAsync(IServiceProvider services, CancellationToken ct)
    {
        var login = services.GetRequiredService<TenantLogin>();
        await login.EnsureAsync(DataRegistration.ApiRole, ct);
        var registry = DataRegistration.In(
            services.GetRequiredService<TenancyOptions>().Database, DataRegistration.RegistryConnectionName);
        await login.EnsureAsync(DataRegistration.RegistryRole,
            services.GetRequiredService<IConfiguration>().GetConnectionString(registry), ct);
    }

    private static Task AddDemoCustomersAsync(IServiceProvider services, CancellationToken ct) =>
        services.GetRequiredService<IHostEnvironment>().IsDevelopment()
            ? services.GetRequiredService<DemoCustomers>().AddOnFirstRunAsync(ct)
            : Task.CompletedTask;
}

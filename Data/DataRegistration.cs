using Data.Access;
using Data.Customers;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Tenancy;

namespace Data;

/// <summary>What Api and job have in common.</summary>
public static class DataRegistration
{
    /// <summary>The name of the owner's connection string, and of the resource in the AppHost.</summary>
    public const string ConnectionName = "tenants";

    /// <summary>
    /// The name of the connection string of the login that serves customers, a member of <see cref="ApiRole"/>. Without
    /// a hyphen: a shell passes no variable on whose name has one, and customers would be served with the owner's
    /// rights.
    /// </summary>
    public const string ApiConnectionName = "tenantsApi";

    /// <summary>The role that serves customers; the migrations make it and say what it may.</summary>
    public const string ApiRole = "tenancy_api";

    /// <summary>
    /// The name of the connection string of the login that reads the registry and the ledger, a member of
    /// <see cref="RegistryRole"/>. An API that has it and not the owner's finds and lists customers, and doesn't create
    /// them.
    /// </summary>
    public const string RegistryConnectionName = "tenantsRegistry";

    /// <summary>
    /// The name of the connection string by which changes of customers are listened for, where the others go through a
    /// pooler in transaction mode.
    /// </summary>
    public const string ListenConnectionName = "tenantsListen";

    /// <summary>The role that reads who the customers are, and nothing of theirs.</summary>
    public const string RegistryRole = "tenancy_registry";

    /// <summary>The role that reads what all customers share: each customer's own role is a member.</summary>
    public const string SharedRole = "tenancy_shared";

    /// <summary>
    /// The name of the setting that gives each customer a role of its own: see
    /// <see cref="TenancyOptions.TenantRoles"/>.
    /// </summary>
    public const string TenantRolesSetting = "Tenancy:TenantRoles";

    /// <summary>
    /// The name of the setting that says how many schemas are kept for customers to come: see
    /// <see cref="TenancyOptions.WarmPool"/>. With <c>_</c> and a database's name behind, it is that database's: see
    /// <see cref="TenantDatabaseOptions.WarmPool"/>.
    /// </summary>
    public const string WarmPoolSetting = "Tenancy:WarmPool";

    /// <summary>
    /// The name of the setting that says how long a statement of a customer's may take, e.g. <c>00:00:30</c>: see
    /// <see cref="TenancyOptions.StatementTimeout"/>.
    /// </summary>
    public const string StatementTimeoutSetting = "Tenancy:StatementTimeout";

    /// <summary>
    /// The name of the setting that lets a Citus coordinator log in to its nodes as the login that serves customers:
    /// see <see cref="TenancyOptions.CitusNodePasswords"/>.
    /// </summary>
    public const string CitusNodePasswordsSetting = "Tenancy:CitusNodePasswords";

    /// <summary>
    /// The name of the setting that names the further databases of customers, with commas between, e.g. <c>two</c>.
    /// Each has connection strings like the first one's, with <c>_</c> and its name behind: <c>tenants_two</c>,
    /// <c>tenantsApi_two</c>, <c>tenantsRegistry_two</c>, <c>tenantsListen_two</c>. See
    /// <see cref="TenancyOptions.Databases"/>.
    /// </summary>
    public const string DatabasesSetting = "Tenancy:Databases";

    /// <summary>Registers both contexts, the registry and the library's verbs, over one pool per login.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configuration">
    /// Has <c>ConnectionStrings:tenants</c>, the owner's, or, where no customer is created,
    /// <c>ConnectionStrings:tenantsRegistry</c>; and <c>ConnectionStrings:tenantsApi</c>, with which customers are
    /// served, else they are with the owner's; and <c>Tenancy:WarmPool</c>,
    /// <c>Tenancy:TenantRoles</c> and <c>Tenancy:Databases</c>.
    /// </param>
    public static IServiceCollection AddData(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddTenancy<InvoicingContext>(options =>
        {
            options.ConnectionString = Given(configuration, ConnectionName)
                ?? Given(configuration, RegistryConnectionName) ?? "";
            options.TenantConnectionString = configuration.GetConnectionString(ApiConnectionName);
            options.WarmPool = configuration.GetValue(WarmPoolSetting, 0);
            options.TenantRoles = configuration.GetValue(TenantRolesSetting, false) ? new(SharedRole, ApiRole) : null;
            options.StatementTimeout = configuration.GetValue<TimeSpan?>(StatementTimeoutSetting);
            options.CitusNodePasswords = configuration.GetValue(CitusNodePasswordsSetting, false);
            options.ShareWithTenants("public.currencies");
            options.SchemaPrefix = CustomerSlug.SchemaPrefix;
            // The shared migration NotifyTenantChanges made the triggers.
            options.DirectoryListenTime = TimeSpan.FromMinutes(5);
            options.ListenConnectionString = Given(configuration, ListenConnectionName);
            foreach (var name in (configuration[DatabasesSetting] ?? "").Split(
                ',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                options.Databases.Add(name, new()
                {
                    ConnectionString = Given(configuration, In(name, ConnectionName))
                        ?? Given(configuration, In(name, RegistryConnectionName)) ?? "",
                    TenantConnectionString = Given(configuration, In(name, ApiConnectionName)),
                    ListenConnectionString = Given(configuration, In(name, ListenConnectionName)),
                    WarmPool = configuration.GetValue<int?>(In(name, WarmPoolSetting)),
                });
            }

            options.FindTenant = (provider, slug, ct) =>
                CustomerRegistry.FindTenantAsync(provider.GetRequiredService<CustomersContext>(), slug, ct);
            options.FindSlugs = (provider, schemas, ct) =>
                provider.GetRequiredService<ITenantRegistry>().FindSlugsAsync(schemas, ct);
        }, context => context.LeaveErrorsToTheCaller());
        services.AddDbContextPool<CustomersContext>((provider, options) => provider.GetRequiredService<TenancyPools>()
            .UseOwner(options, CustomersContext.History).LeaveErrorsToTheCaller());
        services.AddScoped<CustomerRegistry>().AddScoped<ApiKeys>();
        services.AddScoped<ITenantRegistry, CustomersTable>();
        return services;
    }

    /// <summary>The name of a connection string in a database, e.g. <c>tenantsApi_two</c>.</summary>
    /// <param name="database">Null for the first one.</param>
    /// <param name="name">Its name in the first one.</param>
    public static string In(string? database, string name) => database is null ? name : $"{name}_{database}";

    /// <summary>Whether the owner's connection string is there: only the owner makes schemas.</summary>
    public static bool MayCreateCustomers(this IConfiguration configuration) =>
        Given(configuration, ConnectionName) is not null;

    /// <summary>What <see cref="CustomersContext"/> is used with, over whichever data source.</summary>
    public static DbContextOptionsBuilder UseCustomers(
        this DbContextOptionsBuilder options, NpgsqlDataSource database) =>
            options.UseNpgsql(database, CustomersContext.History).LeaveErrorsToTheCaller();

    /// <summary>
    /// The caller gets the exception, and logs it or answers it. EF's line would be a second stack trace, for each
    /// request while PostgreSQL is gone.
    /// </summary>
    private static DbContextOptionsBuilder LeaveErrorsToTheCaller(this DbContextOptionsBuilder options) =>
        options.ConfigureWarnings(events => events.Log(
            (CoreEventId.QueryIterationFailed, LogLevel.Debug), (CoreEventId.SaveChangesFailed, LogLevel.Debug),
            (RelationalEventId.ConnectionError, LogLevel.Debug), (RelationalEventId.TransactionError, LogLevel.Debug)));

    private static string? Given(IConfiguration configuration, string name) =>
        configuration.GetConnectionString(name) is { } value && !string.IsNullOrWhiteSpace(value) ? value : null;
}

using Npgsql;

namespace Tenancy;

/// <summary>How the application uses the library. Validated when the host starts.</summary>
public sealed class TenancyOptions
{
    /// <summary>
    /// The key, among the services, of the <see cref="NpgsqlDataSource"/> that serves tenants, for commands outside EF; the owner's has no key.
    /// </summary>
    public const string TenantsKey = "tenants";

    /// <summary>
    /// The owner's connection string, required: it makes schemas and tables, and reads what all tenants share. What it sets itself wins over
    /// the library's defaults.
    /// </summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>
    /// The connection string of the login that serves tenants, with fewer rights than the owner's (see <see cref="TenancyRoles"/>); contexts
    /// leased for a tenant use it, with a pool of its own. Default: none, then all use <see cref="ConnectionString"/> and its one pool.
    /// </summary>
    public string? TenantConnectionString { get; set; }

    /// <summary>
    /// Changes the data sources, after the library's own settings, so that each can be overridden, the types that are loaded included. Runs for
    /// the owner's and, if there is one, for the tenants'.
    /// </summary>
    public Action<NpgsqlDataSourceBuilder>? ConfigureDataSource { get; set; }

    /// <summary>
    /// Schemas that all tenants share, besides <c>pg_catalog</c>: a tenant's commands may use their functions, types and operators, and no
    /// tenant may be named like one. Default: <c>public</c>. Their tables are declared one by one, see <see cref="SharedTables"/>.
    /// </summary>
    public IList<string> SharedSchemas { get; } = ["public"];

    /// <summary>
    /// Tables that a tenant's commands may read besides those that its model maps outside the placeholder's schema: <c>schema.table</c>,
    /// or <c>schema.*</c> for a schema that holds nothing a tenant may not see. Default: none. They are read-only through a tenant context.
    /// </summary>
    public IList<string> SharedTables { get; } = [];

    /// <summary>Asks the application's registry for a tenant by its slug; null when there is none. Required where requests are served.</summary>
    public Func<IServiceProvider, string, CancellationToken, Task<TenantListing?>>? FindTenant { get; set; }

    /// <summary>
    /// How long an answer of <see cref="FindTenant"/> is kept, hence how long a suspended or migrated tenant may be answered as before.
    /// Default 5 seconds. Unknown slugs are not kept: a customer is served as soon as it exists.
    /// </summary>
    public TimeSpan DirectoryCacheTime { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How many schemas are kept that were made beforehand, complete and nobody's, so that a new tenant gets one by its being renamed and doesn't wait
    /// for the making. Default 0: each is made when it is asked for. At most 1,000. Processes with <see cref="TenancyRegistration.AddWarmPool"/> make them.
    /// </summary>
    public int WarmPool { get; set; }

    /// <summary>The most that <see cref="WarmPool"/> may be: every spare is migrated with the fleet.</summary>
    internal const int LargestWarmPool = 1000;
}

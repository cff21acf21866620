namespace Tenancy;

/// <summary>How the application uses the library. Validated when the host starts.</summary>
public sealed class TenancyOptions
{
    /// <summary>The database's connection string, required. What it sets itself wins over the library's defaults.</summary>
    public string ConnectionString { get; set; } = "";

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
}

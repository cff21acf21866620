namespace Tenancy;

/// <summary>
/// A further database of tenants, with a ledger and connection pools of its own: see
/// <see cref="TenancyOptions.Databases"/>.
/// </summary>
public sealed class TenantDatabaseOptions
{
    /// <summary>The owner's connection string, required; see <see cref="TenancyOptions.ConnectionString"/>.</summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>
    /// The connection string of the login that serves tenants, see <see cref="TenancyOptions.TenantConnectionString"/>.
    /// Required where the first database has one.
    /// </summary>
    public string? TenantConnectionString { get; set; }

    /// <summary>
    /// Whose notices are heard, see <see cref="TenancyOptions.ListenConnectionString"/>. Default null:
    /// <see cref="ConnectionString"/>.
    /// </summary>
    public string? ListenConnectionString { get; set; }

    /// <summary>
    /// How many spare schemas are kept in this database, 0 to 1,000. Default null: as many as in the first one, see
    /// <see cref="TenancyOptions.WarmPool"/>.
    /// </summary>
    public int? WarmPool { get; set; }
}

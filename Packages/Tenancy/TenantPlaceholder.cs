namespace Tenancy;

/// <summary>
/// The schema that stands in a tenant model for the tenant's own. It never exists, so a statement that escapes the
/// rewriter fails (42P01, 3F000) instead of reading someone's rows.
/// </summary>
public static partial class TenantPlaceholder
{
    /// <summary>
    /// For <c>modelBuilder.HasDefaultSchema(TenantPlaceholder.Schema)</c>. The capital letter makes Npgsql quote it
    /// wherever it stands (a lower-case name is emitted without quotes), so it can be told from any other text.
    /// </summary>
    public const string Schema = "__Tenant__";
}

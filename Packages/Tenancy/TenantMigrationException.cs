namespace Tenancy;

/// <summary>
/// The build has a migration that no tenant's schema can get, or a tenant model that can't be migrated. The cause is in
/// the build: the database is not asked before the migrations are compiled.
/// </summary>
public sealed class TenantMigrationException : InvalidOperationException
{
    /// <summary>With no more than that.</summary>
    public TenantMigrationException() : base("This build's migrations can't be applied to tenants' schemas.")
    {
    }

    /// <summary>With a message that names the migration and says what to do.</summary>
    public TenantMigrationException(string message) : base(message)
    {
    }

    /// <summary>With a message and its cause.</summary>
    public TenantMigrationException(string message, Exception? innerException) : base(message, innerException)
    {
    }
}

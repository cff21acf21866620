namespace Tenancy;

/// <summary>
/// Something still uses a tenant's tables: open transactions, or an object of another schema. The message says what.
/// </summary>
public sealed class TenantInUseException : Exception
{
    /// <summary>With a message that says what to do.</summary>
    public TenantInUseException(string message) : base(message)
    {
    }

    /// <summary>With a message that says what to do, and the cause.</summary>
    public TenantInUseException(string message, Exception innerException) : base(message, innerException)
    {
    }
}

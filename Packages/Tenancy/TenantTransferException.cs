namespace Tenancy;

/// <summary>
/// A tenant can't be exported, imported or cloned; the message says why and what to do. Nothing was made.
/// </summary>
public sealed class TenantTransferException : Exception
{
    /// <summary>With a message that says what to do.</summary>
    public TenantTransferException(string message) : base(message)
    {
    }

    /// <summary>With a message that says what to do, and the cause.</summary>
    public TenantTransferException(string message, Exception innerException) : base(message, innerException)
    {
    }
}

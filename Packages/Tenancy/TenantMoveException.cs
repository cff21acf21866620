namespace Tenancy;

/// <summary>
/// A tenant can't be moved to another node: the message says why and what to do. Nothing was moved. Where Citus itself
/// refused or failed, its error is the <see cref="Exception.InnerException"/>.
/// </summary>
public sealed class TenantMoveException : Exception
{
    /// <summary>With a message that says what to do.</summary>
    public TenantMoveException(string message) : base(message)
    {
    }

    /// <summary>With a message that says what to do, and the cause.</summary>
    public TenantMoveException(string message, Exception innerException) : base(message, innerException)
    {
    }
}

namespace Tenancy;

/// <summary>Work that needs a tenant was asked for without one. Thrown before anything is sent to the server.</summary>
public sealed class NoTenantException : InvalidOperationException
{
    /// <summary>With the message that says what to do.</summary>
    public NoTenantException() : base(
        "No tenant: this work belongs to one tenant and none was chosen. In a request, resolve it first " +
        "(CurrentTenant.Choose); " +
        "elsewhere, take the context from TenantContextFactory.Create(tenant). There is no default tenant.")
    {
    }

    /// <summary>With a message of one's own.</summary>
    public NoTenantException(string message) : base(message)
    {
    }

    /// <summary>With a message and a cause of one's own.</summary>
    public NoTenantException(string message, Exception innerException) : base(message, innerException)
    {
    }
}

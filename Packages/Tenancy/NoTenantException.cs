using Microsoft.EntityFrameworkCore;

namespace Tenancy;

/// <summary>No tenant was chosen for work that needs one. Thrown before anything is sent to the server.</summary>
public sealed class NoTenantException : InvalidOperationException
{
    private const string OfPrograms =
        "No tenant: this work belongs to one tenant and none was chosen. In a request, resolve it first " +
        "(CurrentTenant.Choose); " +
        "elsewhere, take the context from TenantContextFactory.Create(tenant). There is no default tenant.";

    private const string OfTools =
        "No tenant: this context's tables are in each tenant's schema, so dotnet ef has no database to ask. To take " +
        "a migration away that no tenant has yet, use 'dotnet ef migrations remove --force'; the migration job's " +
        "command 'status' says which tenants have what. To migrate, use the job. To work on one tenant's schema, let " +
        "the design-time factory return context.For(tenant), e.g. for '-- --customer acme'.";

    /// <summary>With the message that says what to do.</summary>
    public NoTenantException() : base(EF.IsDesignTime ? OfTools : OfPrograms)
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

namespace Tenancy;

/// <summary>The tenant of one scope (a request): chosen once, then fixed.</summary>
public sealed class CurrentTenant
{
    private Tenant? _tenant;

    /// <summary>Whether a tenant was chosen.</summary>
    public bool IsChosen => _tenant is not null;

    /// <summary>The scope's tenant.</summary>
    /// <exception cref="NoTenantException">None was chosen: there is no default.</exception>
    public Tenant Value => _tenant ?? throw new NoTenantException();

    /// <summary>Chooses the tenant; to be called once, by whoever resolves it.</summary>
    /// <exception cref="InvalidOperationException">The scope has a tenant already, even the same one.</exception>
    public void Choose(Tenant tenant)
    {
        ArgumentNullException.ThrowIfNull(tenant);
        _tenant = _tenant is null
            ? tenant
            : throw new InvalidOperationException(
                "A scope serves one tenant: this one has chosen already. Open a scope of its own for the other.");
        TenancyTelemetry.TagTenant(tenant.Slug);
    }
}

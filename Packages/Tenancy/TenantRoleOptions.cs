namespace Tenancy;

/// <summary>
/// A role for each tenant, which its statements run as: the server itself then keeps them to the tenant's schema,
/// whatever passes the guard. See <see cref="TenancyOptions.TenantRoles"/>.
/// </summary>
/// <param name="Shared">The group role that reads what all tenants share, e.g. reference tables, and reaches no
/// tenant's schema. Each tenant's role is a member of it. It has to exist, see
/// <see cref="TenancyRoles.CreateTenancyRole"/>.</param>
/// <param name="All">The group role that reaches all tenants' schemas
/// (<see cref="TenancyRoles.GrantTenantSchema"/>), as which <see cref="AcrossTenants{TContext}"/> reads. Null: nothing
/// reads across tenants.</param>
public sealed record TenantRoleOptions(string Shared, string? All = null)
{
    /// <summary>
    /// A role belongs to the cluster, and several of its databases may have a schema of one name: so this is hashed
    /// into the roles' names, and has to be the same in all processes. Default: the database of
    /// <see cref="TenancyOptions.ConnectionString"/>. Set it where a pooler knows the database by another name.
    /// </summary>
    public string? Database { get; init; }
}

namespace Tenancy;

/// <summary>The options of <see cref="Tenants.ForEachAsync"/>.</summary>
public sealed record ForEachTenantOptions
{
    /// <summary>How many tenants are worked on at once. Default 4: requests need connections, too.</summary>
    public int Parallel { get; init; } = 4;

    /// <summary>Visits only tenants whose schemas come after this one. Default null: all tenants.</summary>
    public SchemaName? After { get; init; }

    /// <summary>
    /// Told, in the order of the schemas, of each one that is done with: it and all before it needn't be visited again.
    /// Kept by the caller, it is what <see cref="After"/> goes on from.
    /// </summary>
    public Action<SchemaName>? Reached { get; init; }
}

/// <summary>A tenant whose work threw.</summary>
/// <param name="Tenant">Who.</param>
/// <param name="Error">What was thrown.</param>
public sealed record TenantFailure(Tenant Tenant, Exception Error);

/// <summary>The result of <see cref="Tenants.ForEachAsync"/>.</summary>
/// <param name="Done">For how many tenants the work was done.</param>
/// <param name="Failed">For whom it threw, in the order of the schemas.</param>
/// <param name="Skipped">Who isn't served at the moment, and why, in the order of the schemas.</param>
public sealed record ForEachTenantReport(
    int Done, IReadOnlyList<TenantFailure> Failed, IReadOnlyList<TenantUnavailableException> Skipped);

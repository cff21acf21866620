namespace Tenancy;

/// <summary>How far a move is.</summary>
/// <param name="Phase">In Citus's words, e.g. <c>Copying Data</c> or <c>Catching Up</c>.</param>
/// <param name="Copied">Bytes of the tenant's tables and indexes on the new node.</param>
/// <param name="Total">Bytes on the old node.</param>
public sealed record TenantMoveProgress(string Phase, long Copied, long Total);

/// <summary>The result of <see cref="TenantMove.MoveAsync"/>.</summary>
/// <param name="Tenant">Whose tables these are.</param>
/// <param name="From">Where they were.</param>
/// <param name="To">Where they are now; the same where there was nothing to do.</param>
/// <param name="Bytes">The size of its tables and indexes; 0 where there was nothing to do.</param>
/// <param name="Elapsed">How long it took.</param>
public sealed record MovedTenant(Tenant Tenant, TenantNode From, TenantNode To, long Bytes, TimeSpan Elapsed)
{
    /// <summary>False where it was on that node before.</summary>
    public bool Moved => !From.Is(To);
}

namespace Tenancy;

/// <summary>The time limits of <see cref="TenantMove.MoveAsync"/>.</summary>
public sealed record TenantMoveLimits
{
    /// <summary>
    /// How long it waits for the tenant's ledger row and for locks on the coordinator. At least 1 ms. Default null:
    /// <see cref="TenancyOptions.LockTimeout"/>. Citus doesn't send it to the nodes: what waits there ends by
    /// <see cref="StatementTimeout"/>.
    /// </summary>
    public TimeSpan? LockTimeout { get; init; }

    /// <summary>
    /// How long the move may take in all. It waits, among others, for the open transactions that have written something
    /// on the tenant's node, of all databases of that server. At least 1 ms. Default null: as long as it needs.
    /// </summary>
    public TimeSpan? StatementTimeout { get; init; }
}

namespace Tenancy;

/// <summary>A schema's state; the ledger holds it in lower case.</summary>
public enum SchemaState
{
    /// <summary>Being made; nobody is served from it.</summary>
    Provisioning,

    /// <summary>Migrated and served.</summary>
    Ready,

    /// <summary>Its last migration failed; answered with 503 until one succeeds.</summary>
    Failed,

    /// <summary>Kept and migrated, not served.</summary>
    Suspended,

    /// <summary>Kept, neither migrated nor served.</summary>
    Archived,

    /// <summary>Marked for removal: not served, and kept until <see cref="LedgerRow.DropAfter"/>.</summary>
    Dropping,

    /// <summary>Made beforehand, empty and migrated with the others; becomes a new tenant's by being renamed.</summary>
    Spare,

    /// <summary>
    /// Nobody's any more. Its tables are removed, or being removed while <see cref="LedgerRow.DropAfter"/> isn't null.
    /// </summary>
    Dropped,

    /// <summary>
    /// On its way to another database, or there and not served yet: answered with 503 until the move has ended, or
    /// until <see cref="TenantRemoval.ReconcileAsync"/> has ended one that was interrupted.
    /// </summary>
    Moving,
}

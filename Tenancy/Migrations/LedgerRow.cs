using Microsoft.EntityFrameworkCore;

namespace Tenancy;

/// <summary>
/// What is known of one schema: a row of <c>tenancy.schemas</c>. A row outlives its schema, because a schema's name is never used again.
/// </summary>
public sealed class LedgerRow
{
    /// <summary>The schema's name; the key.</summary>
    public required string Schema { get; init; }

    /// <summary>Where it is in its life.</summary>
    public SchemaState State { get; private set; }

    /// <summary>See <see cref="CompiledMigrations.Fingerprint"/>; empty as long as nothing is known.</summary>
    public string Version { get; private set; } = "";

    /// <summary>Which wave of a migration it belongs to; 0 goes first.</summary>
    public int Ring { get; private set; }

    /// <summary>Failed migrations since the last that succeeded.</summary>
    public int Attempts { get; private set; }

    /// <summary>What the last failed migration said; null after one that succeeded.</summary>
    public string? LastError { get; private set; }

    /// <summary>When the row was made.</summary>
    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>When the version last changed.</summary>
    public DateTimeOffset? MigratedAt { get; private set; }

    /// <summary>When a migration last failed.</summary>
    public DateTimeOffset? FailedAt { get; private set; }
}

/// <summary>Puts the ledger into the application's shared model, so that its migrations create it.</summary>
public static class LedgerModel
{
    /// <summary>Maps <see cref="LedgerRow"/> to <c>tenancy.schemas</c>. To be called in <c>OnModelCreating</c> of the shared context.</summary>
    public static ModelBuilder AddTenancyLedger(this ModelBuilder model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.Entity<LedgerRow>(row =>
        {
            row.ToTable("schemas", "tenancy", table => table.HasCheckConstraint(
                "ck_schemas_state", "state IN ('provisioning', 'ready', 'failed', 'suspended', 'archived', 'dropping')"));
            row.HasKey(r => r.Schema).HasName("pk_schemas");
            row.Property(r => r.Schema).HasColumnName("schema").HasMaxLength(63);
            row.Property(r => r.State).HasColumnName("state").HasMaxLength(16)
                .HasConversion(state => state.ToString().ToLowerInvariant(), text => Enum.Parse<SchemaState>(text, ignoreCase: true));
            row.Property(r => r.Version).HasColumnName("version").HasMaxLength(32).HasDefaultValue("");
            row.Property(r => r.Ring).HasColumnName("ring").HasDefaultValue(0);
            row.Property(r => r.Attempts).HasColumnName("attempts").HasDefaultValue(0);
            row.Property(r => r.LastError).HasColumnName("last_error");
            row.Property(r => r.CreatedAt).HasColumnName("created_at").HasDefaultValueSql("now()");
            row.Property(r => r.MigratedAt).HasColumnName("migrated_at");
            row.Property(r => r.FailedAt).HasColumnName("failed_at");
            // What a run asks first: who has another version than the build's.
            row.HasIndex(r => new { r.Version, r.Schema }).HasDatabaseName("ix_schemas_version_schema");
        });
    }
}

using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Tenancy;

/// <summary>
/// Puts the ledger, the versions and the runs into the application's shared model, so that its migrations create them.
/// </summary>
public static class LedgerModel
{
    /// <summary>
    /// The states of schemas that are migrated, as SQL. The indexes below hold only these, and a query has to repeat
    /// the condition word for word.
    /// </summary>
    internal const string Migrated = "state IN ('ready', 'failed', 'suspended', 'spare')";

    /// <summary>All states, as SQL.</summary>
    internal const string States =
        "state IN ('provisioning', 'ready', 'failed', 'suspended', 'archived', 'dropping', 'spare', 'dropped', 'moving')";

    /// <summary>The schemas that are to be removed, as SQL.</summary>
    internal const string Removable = "state IN ('dropping', 'dropped') AND drop_after IS NOT NULL";

    /// <summary>
    /// Maps <c>tenancy.schemas</c>, <c>tenancy.versions</c>, <c>tenancy.runs</c>, <c>tenancy.tasks</c>,
    /// <c>tenancy.operations</c> and <c>tenancy.operation_files</c>. To be called in <c>OnModelCreating</c> of the
    /// shared context.
    /// </summary>
    public static ModelBuilder AddTenancyLedger(this ModelBuilder model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.Entity<LedgerRow>(Map).Entity<VersionRow>(Map).Entity<RunRow>(Map).Entity<TaskRow>(Map)
            .Entity<OperationRow>(Map).Entity<OperationFileRow>(Map);
    }

    private static void Map(EntityTypeBuilder<LedgerRow> row)
    {
        row.ToTable("schemas", "tenancy", table => table.HasCheckConstraint("ck_schemas_state", States));
        row.HasKey(r => r.Schema).HasName("pk_schemas");
        // The order in which schemas are locked has to be the same for all, whatever the database's own order is.
        row.Property(r => r.Schema).HasColumnName("schema").HasMaxLength(63).UseCollation("C");
        row.Property(r => r.State).HasColumnName("state").HasMaxLength(16)
            .HasConversion(
                state => state.ToString().ToLowerInvariant(), text => Enum.Parse<SchemaState>(text, ignoreCase: true));
        row.Property(r => r.Version).HasColumnName("version").HasMaxLength(32).HasDefaultValue("");
        row.Property(r => r.Ring).HasColumnName("ring").HasDefaultValue(LedgerRow.UsualRing);
        row.Property(r => r.Attempts).HasColumnName("attempts").HasDefaultValue(0);
        row.Property(r => r.LastError).HasColumnName("last_error");
        row.Property(r => r.Unfinished).HasColumnName("unfinished").HasMaxLength(150);
        row.Property(r => r.CreatedAt).HasColumnName("created_at").HasDefaultValueSql("now()");
        row.Property(r => r.MigratedAt).HasColumnName("migrated_at");
        row.Property(r => r.MigratedInMs).HasColumnName("migrated_in_ms");
        row.Property(r => r.FailedAt).HasColumnName("failed_at");
        row.Property(r => r.DropAfter).HasColumnName("drop_after");
        // What a run asks first, who has another version than the build's; and what its workers ask, who comes next in
        // a ring.
        row.HasIndex(r => r.Version).HasDatabaseName("ix_schemas_version").HasFilter(Migrated);
        row.HasIndex(r => new { r.Ring, r.Schema }).HasDatabaseName("ix_schemas_ring_schema").HasFilter(Migrated);
        row.HasIndex(r => r.DropAfter).HasDatabaseName("ix_schemas_drop_after").HasFilter(Removable);
    }

    private static void Map(EntityTypeBuilder<VersionRow> row)
    {
        row.ToTable("versions", "tenancy");
        row.HasKey(r => r.Version).HasName("pk_versions");
        row.Property(r => r.Version).HasColumnName("version").HasMaxLength(32);
        row.Property(r => r.Migrations).HasColumnName("migrations");
        row.Property(r => r.Breaking).HasColumnName("breaking");
    }

    private static void Map(EntityTypeBuilder<RunRow> row)
    {
        row.ToTable("runs", "tenancy", table => table.HasCheckConstraint(
            "ck_runs_outcome",
            "outcome IN ('done', 'halted', 'cancelled', 'broken', 'lost') AND (outcome IS NULL) = (ended_at IS NULL)"));
        row.HasKey(r => r.Id).HasName("pk_runs");
        row.Property(r => r.Id).HasColumnName("id").ValueGeneratedNever();
        row.Property(r => r.Kind).HasColumnName("kind").HasMaxLength(16);
        row.Property(r => r.AskedBy).HasColumnName("asked_by").HasMaxLength(200);
        row.Property(r => r.Target).HasColumnName("target").HasMaxLength(150);
        row.Property(r => r.Total).HasColumnName("total");
        row.Property(r => r.Migrated).HasColumnName("migrated").HasDefaultValue(0);
        row.Property(r => r.Failed).HasColumnName("failed").HasDefaultValue(0);
        row.Property(r => r.Ring).HasColumnName("ring");
        row.Property(r => r.StartedAt).HasColumnName("started_at").HasDefaultValueSql("clock_timestamp()");
        row.Property(r => r.HeartbeatAt).HasColumnName("heartbeat_at").HasDefaultValueSql("clock_timestamp()");
        row.Property(r => r.Halt).HasColumnName("halt");
        row.Property(r => r.EndedAt).HasColumnName("ended_at");
        row.Property(r => r.Outcome).HasColumnName("outcome").HasMaxLength(16);
        row.HasIndex(r => r.HeartbeatAt).HasDatabaseName("ix_runs_live").HasFilter("ended_at IS NULL");
    }

    private static void Map(EntityTypeBuilder<TaskRow> row)
    {
        row.ToTable("tasks", "tenancy");
        row.HasKey(r => new { r.Task, r.Schema }).HasName("pk_tasks");
        row.Property(r => r.Task).HasColumnName("task").HasMaxLength(TaskRow.LongestName);
        row.Property(r => r.Schema).HasColumnName("schema").HasMaxLength(63).UseCollation("C");
        row.Property(r => r.DoneAt).HasColumnName("done_at");
        row.Property(r => r.Attempts).HasColumnName("attempts").HasDefaultValue(0);
        row.Property(r => r.LastError).HasColumnName("last_error");
        row.Property(r => r.FailedAt).HasColumnName("failed_at");
    }

    private static void Map(EntityTypeBuilder<OperationRow> row)
    {
        row.ToTable("operations", "tenancy", table => table.HasCheckConstraint(
            "ck_operations_state",
            "state IN ('queued', 'running', 'done', 'failed', 'cancelled') AND (state IN ('queued', 'running')) = (ended_at IS NULL)"));
        row.HasKey(r => r.Id).HasName("pk_operations");
        row.Property(r => r.Id).HasColumnName("id").ValueGeneratedNever();
        row.Property(r => r.Kind).HasColumnName("kind").HasMaxLength(32);
        row.Property(r => r.Slug).HasColumnName("slug").HasMaxLength(63);
        row.Property(r => r.AskedBy).HasColumnName("asked_by").HasMaxLength(200);
        row.Property(r => r.Arguments).HasColumnName("arguments").HasColumnType("jsonb");
        row.Property(r => r.State).HasColumnName("state").HasMaxLength(16).HasDefaultValue("queued");
        row.Property(r => r.Done).HasColumnName("done").HasDefaultValue(0L);
        row.Property(r => r.Total).HasColumnName("total");
        row.Property(r => r.Result).HasColumnName("result").HasColumnType("jsonb");
        row.Property(r => r.Error).HasColumnName("error");
        row.Property(r => r.Attempts).HasColumnName("attempts").HasDefaultValue(0);
        row.Property(r => r.Cancel).HasColumnName("cancel");
        row.Property(r => r.CreatedAt).HasColumnName("created_at").HasDefaultValueSql("clock_timestamp()");
        row.Property(r => r.StartedAt).HasColumnName("started_at");
        row.Property(r => r.HeartbeatAt).HasColumnName("heartbeat_at");
        row.Property(r => r.EndedAt).HasColumnName("ended_at");
        row.HasIndex(r => r.Id).HasDatabaseName("ix_operations_live").HasFilter("ended_at IS NULL");
        row.HasIndex(r => new { r.Slug, r.Id }).HasDatabaseName("ix_operations_slug");
        row.HasIndex(r => r.EndedAt).HasDatabaseName("ix_operations_ended_at");
    }

    private static void Map(EntityTypeBuilder<OperationFileRow> row)
    {
        row.ToTable("operation_files", "tenancy");
        row.HasKey(r => new { r.Operation, r.Part }).HasName("pk_operation_files");
        row.Property(r => r.Operation).HasColumnName("operation");
        row.Property(r => r.Part).HasColumnName("part");
        row.Property(r => r.Bytes).HasColumnName("bytes");
        row.HasOne<OperationRow>().WithMany().HasForeignKey(r => r.Operation).OnDelete(DeleteBehavior.Cascade)
            .HasConstraintName("fk_operation_files_operation");
    }
}

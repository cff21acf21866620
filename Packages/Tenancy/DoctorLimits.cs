namespace Tenancy;

/// <summary>The limits of <see cref="TenancyDoctor"/>'s numbers: <see cref="TenancyOptions.Doctor"/>.</summary>
public sealed class DoctorLimits
{
    /// <summary>
    /// How many relations (tables, indexes, sequences, toast tables) the database may have. Default 500,000: about
    /// 20,000 tenants of 5 tables.
    /// </summary>
    public long Relations { get; set; } = 500_000;

    /// <summary>How large the system catalogs may be, with their indexes, in bytes. Default 4 GiB.</summary>
    public long CatalogBytes { get; set; } = 4L << 30;

    /// <summary>
    /// Which share of a system catalog's rows may be dead, from 0 to 1. Default 0.2. A catalog with fewer than
    /// <see cref="DeadCatalogRows"/> of them is never over it.
    /// </summary>
    public double DeadCatalogShare { get; set; } = 0.2;

    /// <summary>How many dead rows of a system catalog never matter. Default 10,000.</summary>
    public long DeadCatalogRows { get; set; } = 10_000;

    /// <summary>
    /// How often per hour <c>pg_stat_statements</c> may throw statements out for want of room. Default 1.
    /// </summary>
    public double StatementEvictionsPerHour { get; set; } = 1;

    /// <summary>
    /// Which share of <c>autovacuum_freeze_max_age</c> the oldest table may reach, from 0 to 1. Default 0.9.
    /// </summary>
    public double FreezeAgeShare { get; set; } = 0.9;

    /// <summary>
    /// How many tables may wait for autovacuum, because they have more dead rows than its threshold. Default 100.
    /// </summary>
    public int TablesPastVacuum { get; set; } = 100;

    /// <summary>
    /// How old a transaction may be that is open or prepared. Default 1 hour.
    /// </summary>
    public TimeSpan TransactionAge { get; set; } = TimeSpan.FromHours(1);

    /// <summary>
    /// How many transactions a replication slot, or a standby's feedback, may lag behind with what it keeps from
    /// vacuum. Default 1,000,000.
    /// </summary>
    public long ReplicationLag { get; set; } = 1_000_000;

    internal bool IsValid => Relations >= 0 && CatalogBytes >= 0 && DeadCatalogShare is >= 0 and <= 1
        && DeadCatalogRows >= 0 && StatementEvictionsPerHour >= 0 && FreezeAgeShare is >= 0 and <= 1
        && TablesPastVacuum >= 0 && TransactionAge >= TimeSpan.Zero && ReplicationLag >= 0;
}

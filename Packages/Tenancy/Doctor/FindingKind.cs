using System.Globalization;

namespace Tenancy.Doctor;

/// <summary>What all examinations say of a number, whatever it is.</summary>
/// <param name="Id">See <see cref="DoctorFinding.Id"/>.</param>
/// <param name="Title">See <see cref="DoctorFinding.Title"/>.</param>
/// <param name="Unit">See <see cref="DoctorFinding.Unit"/>.</param>
/// <param name="Why">See <see cref="DoctorFinding.Why"/>.</param>
internal sealed record FindingKind(string Id, string Title, string Unit, string Why)
{
    public static readonly FindingKind Relations = new("relations", "Relations", "relations",
        "Each relation has rows in six catalogs. Every scan of a catalog, every new backend and every dump pays for " +
        "all of them.");

    public static readonly FindingKind CatalogSize = new("catalog-size", "Size of the catalogs", "bytes",
        "Catalogs that don't fit into shared_buffers are read from disk by the first query of each backend.");

    public static readonly FindingKind MissingSchemas = new("missing-schemas", "Tenants without a schema", "schemas",
        "These tenants can't be served: each of their requests ends with an error.");

    public static readonly FindingKind OrphanSchemas = new("orphan-schemas", "Schemas without a tenant", "schemas",
        "Nobody migrates, exports or drops such a schema. It may hold rows of a customer who asked for their removal.");

    public static readonly FindingKind DeadCatalogRows = new("dead-catalog-rows", "Dead rows in the catalogs", "%",
        "Each look into a bloated catalog reads the dead rows, too. Catalogs never shrink by themselves.");

    public static readonly FindingKind VacuumBacklog = new("vacuum-backlog", "Tables that wait for autovacuum",
        "tables", "Autovacuum has a few workers for all tables of all tenants. When it can't keep up, tables bloat " +
        "and their statistics are wrong.");

    public static readonly FindingKind FreezeAge = new("freeze-age", "Age of the oldest table", "transactions",
        "At autovacuum_freeze_max_age PostgreSQL reads each such table from end to end, thousands of tables at once " +
        "where their tenants were made together. At two billion it stops all writes.");

    public static readonly FindingKind DumpLocks = new("dump-locks", "Locks of a pg_dump of the database", "locks",
        "pg_dump locks all tables and sequences in one transaction. When the lock table is full, it fails with \"out " +
        "of shared memory\", and so do sessions that have done nothing.");

    public static readonly FindingKind RunLocks = new("run-locks", "Locks of a migration run", "locks",
        "A run takes half of the lock table at most. Where one schema for each worker doesn't fit, the run can fail " +
        "with \"out of shared memory\".");

    public static readonly FindingKind BackendMemory = new("backend-memory", "Memory of the pool's backends", "bytes",
        "A backend remembers each table that it has met, and never gives that memory back. When the server has none " +
        "left, the operating system kills a backend, and PostgreSQL restarts them all.");

    public static readonly FindingKind StatementEvictions = new("statement-evictions",
        "Evictions from pg_stat_statements", "evictions per hour",
        "Before PostgreSQL 18, each tenant's statement has an entry of its own. An eviction locks out all sessions " +
        "and throws away the statistics of one statement in twenty.");

    public static readonly FindingKind Dumps = new("dump", "Dumps in progress", "sessions",
        "A dump holds a lock on each table until it ends. A migration that alters a table waits for it until its " +
        "lock timeout, and the tenant's requests wait behind the migration.");

    public static readonly FindingKind OldTransaction = new("old-transaction", "Age of the oldest transaction",
        "seconds", "Vacuum can't remove rows that an open transaction may still see, in the catalogs, either. Its " +
        "locks make migrations wait.");

    public static readonly FindingKind PreparedTransaction = new("prepared-transaction",
        "Age of the oldest prepared transaction", "seconds",
        "A prepared transaction keeps its locks and its snapshot until somebody ends it, over restarts, too.");

    public static readonly FindingKind Replication = new("replication", "Rows kept for replication", "transactions",
        "Vacuum keeps the rows that a replication slot or a standby may still need. A logical slot keeps dead rows " +
        "of the catalogs.");

    /// <summary>A number that was read.</summary>
    public DoctorFinding Of(
        double value, double limit, string says, string advice, IReadOnlyList<string>? names = null) =>
            new(Id, Title, value, limit, Unit, says, Why, value > limit ? advice : "", names ?? []);

    /// <summary>A number that could not be read.</summary>
    public DoctorFinding Unknown(double? limit, string says, string advice, IReadOnlyList<string>? names = null) =>
        new(Id, Title, null, limit, Unit, says, Why, advice, names ?? []);

    /// <summary>E.g. <c>1,234 tables</c>.</summary>
    public static string Count(double number, string what) =>
        string.Create(CultureInfo.InvariantCulture, $"{number:N0} {what}{(number == 1 ? "" : "s")}");

    /// <summary>E.g. <c>1.4 GB</c>.</summary>
    public static string Size(double bytes) => bytes switch
    {
        >= 1L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (1L << 30):0.0} GB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / (1L << 20):0} MB"),
    };

    /// <summary>E.g. <c>2 h 5 min</c>.</summary>
    public static string Age(double seconds) => TimeSpan.FromSeconds(Math.Max(0, seconds)) switch
    {
        { TotalDays: >= 1 } time => string.Create(CultureInfo.InvariantCulture, $"{time.Days} d {time.Hours} h"),
        { TotalHours: >= 1 } time => string.Create(CultureInfo.InvariantCulture, $"{time.Hours} h {time.Minutes} min"),
        { TotalMinutes: >= 1 } time => string.Create(CultureInfo.InvariantCulture, $"{time.Minutes} min"),
        var time => string.Create(CultureInfo.InvariantCulture, $"{time.Seconds} s"),
    };
}

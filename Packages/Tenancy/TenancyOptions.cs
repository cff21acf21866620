using Npgsql;
using Tenancy.Backends;
using Tenancy.Roles;

namespace Tenancy;

/// <summary>The library's options. Validated when the host starts.</summary>
public sealed class TenancyOptions
{
    /// <summary>
    /// The key, among the services, of the <see cref="NpgsqlDataSource"/> with the login that serves tenants, for
    /// commands outside EF. Its connections are reset when they go back to the pool. The same as
    /// <see cref="OwnerKey"/>'s where there is one login.
    /// </summary>
    public const string TenantsKey = "tenants";

    /// <summary>
    /// The key, among the services, of the owner's <see cref="NpgsqlDataSource"/>. Its connections are reset when they
    /// go back to the pool. Without a key it is found, too, unless the application registers one of its own.
    /// </summary>
    public const string OwnerKey = "owner";

    /// <summary>
    /// The owner's connection string, required: it makes schemas and tables, and reads what all tenants share. What it
    /// sets itself wins over the library's defaults.
    /// </summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>
    /// The connection string of the login that serves tenants, with fewer rights than the owner's (see
    /// <see cref="TenancyRoles"/>); contexts leased for a tenant use it, with a pool of its own. Default: none, then
    /// all use <see cref="ConnectionString"/> and its one pool.
    /// </summary>
    public string? TenantConnectionString { get; set; }

    /// <summary>
    /// Gives each tenant a role of its own, without login, which its statements run as: the role reaches the tenant's
    /// schema and what all tenants share, and the login of <see cref="TenantConnectionString"/>, which is required
    /// then, has no rights before it switches. The switch travels with each statement and ends with its transaction, so
    /// it is safe behind a pooler. Default null: the login reaches all tenants' schemas, and the guard alone keeps a
    /// statement to one.
    /// </summary>
    /// <remarks>
    /// Costs 1.3 times the time of a small request (<c>requests</c> in Benchmarks, "a role per tenant"). What is sent
    /// past EF switches by <see cref="TenantCommands.SwitchToTenantRoleAsync"/>. With 10,000 roles each new tenant
    /// makes every session pause once, for 0.46 s on PostgreSQL 15 and 0.13 s on 18; with 1,000 for 10 ms.
    /// </remarks>
    public TenantRoleOptions? TenantRoles { get; set; }

    /// <summary>
    /// Further databases of tenants, by the names that the registry has in <see cref="Tenant.Database"/>. Each has a
    /// ledger, pools and shared tables of its own; the registry is in the first database, that of
    /// <see cref="ConnectionString"/>. Default: none. See <see cref="TenancyBuilder.AddDatabase"/>.
    /// </summary>
    public IDictionary<string, TenantDatabaseOptions> Databases { get; } =
        new Dictionary<string, TenantDatabaseOptions>(StringComparer.Ordinal);

    /// <summary>
    /// The first database's name where one is chosen among all, so none of <see cref="Databases"/> may have it.
    /// </summary>
    public const string FirstDatabase = "first";

    /// <summary>
    /// Which database these options are of: one of <see cref="Databases"/>, or null for the first one. For what the
    /// migration job does in each, e.g. makes its logins.
    /// </summary>
    public string? Database { get; private set; }

    /// <summary>
    /// Whether a tenant of any database has that schema, which one database's ledger can't say. Null with one database.
    /// </summary>
    internal Func<SchemaName, CancellationToken, Task<bool>>? IsRegistered { get; set; }

    /// <summary>The same options for one of <see cref="Databases"/>.</summary>
    internal TenancyOptions Of(string name)
    {
        var (options, database) = ((TenancyOptions)MemberwiseClone(), Databases[name]);
        (options.Database, options.WarmPool) = (name, database.WarmPool ?? WarmPool);
        (options.ConnectionString, options.TenantConnectionString, options.ListenConnectionString) =
            (database.ConnectionString, database.TenantConnectionString, database.ListenConnectionString);
        return options;
    }

    /// <summary>The statements of the roles; null where the option is off.</summary>
    internal TenantRoleSql? RoleSql => TenantRoles is { } roles
        ? new(roles with { Database = roles.Database ?? TenantDataSource.DatabaseOf(new(ConnectionString)) })
        : null;

    /// <summary>For tests of what the server refuses: no command is read.</summary>
    internal bool Unguarded { get; set; }

    /// <summary>
    /// Changes the data sources, after the library's own settings, so that each can be overridden, the types that are
    /// loaded included. Runs for the owner's and, if there is one, for the tenants'.
    /// </summary>
    public Action<NpgsqlDataSourceBuilder>? ConfigureDataSource { get; set; }

    /// <summary>
    /// Whether Npgsql loads the types of <c>pg_catalog</c> and <see cref="SharedSchemas"/> when a data source is first
    /// opened. Default null: types are not loaded. A tenant model that needs one fails with an error; a shared schema
    /// with types of its own logs a warning after the start. False: types are not loaded, and nothing is logged.
    /// </summary>
    /// <remarks>
    /// Loading reads all of <c>pg_type</c>, where every tenant's table has two rows: a first open took 16 ms on an
    /// empty database and 43 ms with 5,000 tenants of 4 tables; without, 7.0 and 7.6 ms. Without, these can be written
    /// and read: PostgreSQL's own types as far as Npgsql has them built in, numbers to <c>jsonb</c>, <c>tsvector</c>
    /// and <c>regtype</c>, their arrays, ranges and multiranges; a domain's values, as those of what it is made of.
    /// These can't: enums, composites, ranges of one's own, an extension's types (<c>citext</c>, <c>hstore</c>,
    /// <c>ltree</c>), <c>"char"</c>, <c>regclass</c> and the like, records, arrays of any of them or of domains. Npgsql
    /// then says "Reading as ... is not supported for fields having DataTypeName '-.-'" or "Writing values of ... is
    /// not supported for parameters having ..."; a cast in the SQL helps (<c>::text</c>), and so does true here. A
    /// tenant model with such a column is refused when it is built, and so is one with a domain's name for a type,
    /// because a name doesn't say what it stands for. A compiled model was checked when it was made, with the design
    /// time's options. An application that turns loading on by <see cref="ConfigureDataSource"/> sets true here
    /// besides: neither check nor warning sees the other.
    /// </remarks>
    public bool? LoadTypes { get; set; }

    /// <summary>
    /// Schemas that all tenants share, besides <c>pg_catalog</c>: a tenant's commands may use their functions, types
    /// and operators, and no tenant may be named like one. Default: <c>public</c>. Their tables are declared one by
    /// one, see <see cref="SharedTables"/>.
    /// </summary>
    public IList<string> SharedSchemas { get; } = ["public"];

    /// <summary>
    /// Tables that a tenant's commands may read besides those that its model maps outside the placeholder's schema:
    /// <c>schema.table</c>, or <c>schema.*</c> for a schema that holds nothing a tenant may not see. Default: none.
    /// They are read-only through a tenant context.
    /// </summary>
    public IList<string> SharedTables { get; } = [];

    /// <summary>
    /// Declares shared tables that tenants join (<see cref="SharedTables"/>), and lets the migration job, or
    /// <see cref="Tenants.MigrateAsync(CancellationToken)"/>, see to their rights: SELECT for the login that serves
    /// tenants, or for the roles of <see cref="TenantRoles"/> where tenants have roles. On a Citus cluster they become
    /// reference tables, which every node has. Each run looks again and does what is missing.
    /// </summary>
    /// <param name="tables">Each <c>schema.table</c>, made by a shared migration.</param>
    public TenancyOptions ShareWithTenants(params string[] tables)
    {
        ArgumentNullException.ThrowIfNull(tables);
        foreach (var table in tables)
        {
            SharedTables.Add(table);
            Joined.Add(table);
        }

        return this;
    }

    /// <summary>See <see cref="ShareWithTenants"/>.</summary>
    internal IList<string> Joined { get; } = [];

    /// <summary>
    /// Functions of the application's or of an extension's that a tenant's commands may call without a schema, though
    /// neither PostgreSQL nor its own extensions have them: names, or <c>schema.name</c>, e.g.
    /// <c>public.st_distance</c>. A function with its schema in front needs none of this: see
    /// <see cref="SharedSchemas"/>. Default: none.
    /// </summary>
    public IList<string> SharedFunctions { get; } = [];

    /// <summary>
    /// Asks the application's registry for a tenant by its slug; null when there is none. Required where requests are
    /// served.
    /// </summary>
    public Func<IServiceProvider, string, CancellationToken, Task<TenantListing?>>? FindTenant { get; set; }

    /// <summary>
    /// Asks the application's registry for the slugs of tenants by their schemas, so that spans and log records of a
    /// migration carry them. It is asked about the schemas of a group while somebody listens to spans, and about
    /// schemas that fail. Default: none, then they carry schemas alone.
    /// </summary>
    public Func<IServiceProvider, IReadOnlyCollection<SchemaName>, CancellationToken,
        Task<IReadOnlyDictionary<SchemaName, string>>>? FindSlugs { get; set; }

    /// <summary>
    /// The prefix of new schemas' names, before the slug: <c>tenant_acme</c>. Default: <c>tenant_</c>.
    /// </summary>
    public string SchemaPrefix { get; set; } = "tenant_";

    /// <summary>
    /// How long an answer of <see cref="FindTenant"/> is kept where nobody listens for changes, hence how long a
    /// suspended or migrated tenant may be answered as before. Default: 5 seconds. Unknown slugs are not kept: a
    /// customer is served as soon as it exists.
    /// </summary>
    public TimeSpan DirectoryCacheTime { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long an answer is kept while the database tells this process about each change: see
    /// <see cref="TenantNotices"/>. The process listens over a connection of its own and proves every few seconds that
    /// it hears; while it doesn't, answers are kept for <see cref="DirectoryCacheTime"/>. Default null: nobody listens.
    /// <see cref="TenancyBuilder.UseBuiltInRegistry"/> sets 5 minutes.
    /// </summary>
    public TimeSpan? DirectoryListenTime { get; set; }

    /// <summary>
    /// Whose notices are heard: a connection string that reaches the server itself, because a pooler in transaction
    /// mode delivers none. Default null: <see cref="ConnectionString"/>.
    /// </summary>
    public string? ListenConnectionString { get; set; }

    /// <summary>
    /// How often the ledger is counted for metrics and health. Default 15 seconds; see <see cref="FleetMonitor"/>.
    /// </summary>
    public TimeSpan FleetInterval { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>The limits of the numbers that <see cref="TenancyDoctor"/> reads.</summary>
    public DoctorLimits Doctor { get; } = new();

    /// <summary>
    /// How often a process that serves examines the database for gauges and health (<see cref="TenancyDoctor"/>).
    /// Default 5 minutes; null for never. The migration job examines only when it is asked to.
    /// </summary>
    public TimeSpan? DoctorInterval { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Whether a migration run, and the removal of dropped tenants, vacuum the system catalogs in which they have left
    /// dead rows: those with at least 1,000 of them, if that is a twentieth. Default true. The owner's login has to own
    /// the database, or from PostgreSQL 17 to have <c>pg_maintain</c>; else it warns once.
    /// </summary>
    public bool VacuumCatalogs { get; set; } = true;

    /// <summary>
    /// How long a statement of the login that serves tenants may take before the server ends it: a ceiling that no
    /// code can forget. <see cref="TenantLogin"/> writes it on the role (<c>statement_timeout</c>), and new connections
    /// have it. Default null: the server's own.
    /// </summary>
    public TimeSpan? StatementTimeout { get; set; }

    /// <summary>
    /// Whether <see cref="TenantLogin"/> tells the coordinator of a Citus cluster the serving login's password, by
    /// which it logs in to the nodes: a row in <c>pg_dist_authinfo</c>, in plain text, that superusers read. Default
    /// false: a password file, certificates or trust between the nodes does it. Nothing happens on PostgreSQL without
    /// Citus.
    /// </summary>
    public bool CitusNodePasswords { get; set; }

    /// <summary>
    /// How long suspending, archiving and dropping a tenant wait for its open transactions, and how long the removal of
    /// its tables, an export and a clone wait for a lock. Default: 5 s.
    /// </summary>
    public TimeSpan LockTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long a request waits for a connection: for a free one of the pool, and for a new one to be made. Default 2
    /// seconds, whole seconds from 1 to 1024. <c>Timeout=</c> in a connection string wins. It says nothing of how long
    /// a statement may take: that is <c>Command Timeout=</c>, 30 seconds by default.
    /// </summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Makes a context for each scope, whatever its type. What is used after its scope throws then, always; with a
    /// pooled one nothing tells a captured context or <c>IQueryable</c> from the next scope's right use. Costs 1.5
    /// times the time of a small request (<c>requests</c> in Benchmarks, "ours, per scope").
    /// </summary>
    public TenancyOptions PerScope()
    {
        Lease = ContextLease.PerScope;
        return this;
    }

    /// <summary>
    /// Leases contexts from a pool, though their type has fields or settable properties: what they keep, the next
    /// tenant's scope finds. Refused at the start for a type whose constructor takes more than its options.
    /// </summary>
    public TenancyOptions Pooled()
    {
        Lease = ContextLease.Pooled;
        return this;
    }

    /// <summary>
    /// Whether tenant contexts have two optimizations of EF that aren't tenancy: the code that reads a query's rows is
    /// made once for each query, and a single command isn't sorted before it is saved. Default true: a query
    /// with an included list takes 0.7 to 0.9 of EF's time, one row 0.97 (decision 11). False leaves EF's own classes
    /// in place, for an application that suspects
    /// them, or whose profiler should see EF as it is.
    /// </summary>
    public bool EfOptimizations { get; set; } = true;

    internal ContextLease? Lease { get; private set; }

    /// <summary>
    /// How many schemas are kept that were made beforehand, complete and nobody's, so that a new tenant gets one by its
    /// being renamed and doesn't wait for the making. Default 0: each is made when it is asked for. At most 1,000.
    /// Processes with <see cref="TenancyRegistration.AddWarmPool"/> make them.
    /// </summary>
    public int WarmPool { get; set; }

    /// <summary>
    /// How many operations a process with <see cref="TenantOperationsRegistration.AddTenantOperations"/> runs at once.
    /// Default 2; 0 for none, at most 64. Each uses at least one connection of the owner's.
    /// </summary>
    public int ParallelOperations { get; set; } = 2;

    /// <summary>
    /// How much memory the server processes behind this process's connections may have together, in bytes. Default 4
    /// GB; at least 64 MB, or 0 for no limit. A server process keeps what it learns of each schema as long as its
    /// connection lives. An open connection may have an equal share, and at least 16 MB: a request that makes it more
    /// is finished, and then the connection is closed instead of going back to the pool.
    /// </summary>
    /// <remarks>
    /// Counted are the schemas that a connection has met through EF, migrations and provisioning, times an upper
    /// estimate for the model's tables, indexes and foreign keys. Commands that go past EF are not counted. See
    /// docs/memory.md for how much that is, and for what a budget that is too small costs.
    /// </remarks>
    public long BackendMemory { get; set; } = DefaultBackendMemory;

    /// <summary>4 GB.</summary>
    internal const long DefaultBackendMemory = 4L << 30;

    /// <summary>What <see cref="BackendMemory"/> is shared by.</summary>
    internal BackendBudget Backends => LazyInitializer.EnsureInitialized(ref _backends, () => new(this));

    private BackendBudget? _backends;

    /// <summary>
    /// What each may have, however small its share is, in bytes: with less it would be closed after every request.
    /// Tests set less.
    /// </summary>
    internal long LeastBackendShare { get; set; } = 16L << 20;

    /// <summary>The smallest <see cref="BackendMemory"/> that is a limit.</summary>
    internal const long LeastBackendMemory = 64L << 20;

    /// <summary>Npgsql's own limit, seconds.</summary>
    internal const int LongestConnectTimeout = 1024;

    /// <summary>The most that <see cref="WarmPool"/> may be: every spare is migrated with the fleet.</summary>
    internal const int LargestWarmPool = 1000;
}

/// <summary>The source of a scope's context.</summary>
internal enum ContextLease
{
    Pooled,
    PerScope,
}

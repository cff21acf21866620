using System.Diagnostics;

namespace Tenancy;

/// <summary>
/// The library's names in telemetry, all of them. Attributes follow OpenTelemetry's semantic conventions for databases,
/// where a schema is part of the namespace. No metric carries a tenant: ten thousand of them would be ten thousand
/// series.
/// </summary>
public static partial class TenancyTelemetry
{
    /// <summary>The name of the activity source and of the meter.</summary>
    public const string Name = "Tenancy";

    /// <summary>Span attribute: the database and the schema, as <c>database|schema</c>.</summary>
    public const string Namespace = "db.namespace";

    /// <summary>Span attribute and key of log scopes: the tenant's slug.</summary>
    public const string Tenant = "tenant.slug";

    /// <summary>Span: the registry is asked for a tenant.</summary>
    public const string FindTenant = "find tenant";

    /// <summary>
    /// Span: a tenant gets its schema; attributes <see cref="Namespace"/> and <see cref="FromSpare"/>.
    /// </summary>
    public const string ProvisionSchema = "provision schema";

    /// <summary>
    /// Span attribute: whether the schema was made beforehand, see <see cref="TenancyOptions.WarmPool"/>.
    /// </summary>
    public const string FromSpare = "tenancy.from_spare";

    /// <summary>Span: the warm pool is filled; attribute <see cref="Schemas"/>.</summary>
    public const string FillWarmPool = "fill warm pool";

    /// <summary>
    /// Span: one run over the fleet; attributes <see cref="Migrated"/>, <see cref="Failed"/> and <see cref="Schemas"/>.
    /// Its display name says how many of how many schemas were migrated: <c>migrate fleet (3 of 230)</c>.
    /// </summary>
    public const string MigrateFleet = "migrate fleet";

    /// <summary>
    /// Span: a group of schemas is migrated in one transaction; attributes <see cref="Ring"/> and
    /// <see cref="Schemas"/>, and <see cref="Namespace"/> where it is one.
    /// </summary>
    public const string MigrateGroup = "migrate group";

    /// <summary>
    /// Span: one schema was migrated, inside its group's; attributes <see cref="Namespace"/> and <see cref="Tenant"/>.
    /// Made only while somebody listens.
    /// </summary>
    public const string MigrateSchema = "migrate schema";

    /// <summary>
    /// Span: a schema's failure, inside its group's; attributes <see cref="Namespace"/> and <see cref="Tenant"/>,
    /// status with the error.
    /// </summary>
    public const string MigrateFailed = "migration failed";

    /// <summary>
    /// Span: one run of a <see cref="TenantTask"/>; attributes <see cref="Task"/>, <see cref="Migrated"/> (tenants that
    /// have done it) and <see cref="Failed"/>.
    /// </summary>
    public const string RunTask = "run task";

    /// <summary>
    /// Span: the task's work for one tenant, inside its run's; attributes <see cref="Task"/>, <see cref="Ring"/>,
    /// <see cref="Namespace"/> and <see cref="Tenant"/>; status with the error.
    /// </summary>
    public const string RunTaskForTenant = "run task for tenant";

    /// <summary>Span attribute: the task's name.</summary>
    public const string Task = "tenancy.task";

    /// <summary>Span: schemas are compared with the migrations; attribute <see cref="Schemas"/>.</summary>
    public const string VerifyFleet = "verify fleet";

    /// <summary>Span attribute: the ring.</summary>
    public const string Ring = "tenancy.ring";

    /// <summary>Span attribute: how many schemas a group has, a run considered, were compared, or were made.</summary>
    public const string Schemas = "tenancy.schemas";

    /// <summary>Span: one report over many tenants.</summary>
    public const string ReadAcrossTenants = "read across tenants";

    /// <summary>Span attribute: schemas that a run migrated.</summary>
    public const string Migrated = "tenancy.migrated";

    /// <summary>Span attribute: schemas that a run failed on.</summary>
    public const string Failed = "tenancy.failed";

    internal static readonly ActivitySource Source = new(Name);

    /// <summary>
    /// Gauge: tenants by the state of their schema; attribute <see cref="State"/>. Spare schemas are none.
    /// </summary>
    public const string Tenants = "tenancy.tenants";

    /// <summary>
    /// Gauge: tenants whose schema is migrated, by its version; attributes <see cref="Version"/> and
    /// <see cref="Standing"/>.
    /// </summary>
    public const string TenantsByVersion = "tenancy.tenants_by_version";

    /// <summary>Gauge: schemas made beforehand, see <see cref="TenancyOptions.WarmPool"/>.</summary>
    public const string SpareSchemas = "tenancy.spare_schemas";

    /// <summary>
    /// Gauge: 1 where a number of <see cref="TenancyDoctor"/> is over its limit, else 0; nothing where it is unknown.
    /// Attribute <see cref="Finding"/>.
    /// </summary>
    public const string DoctorOver = "tenancy.doctor.over";

    /// <summary>
    /// Gauge: a number of <see cref="TenancyDoctor"/> divided by its limit, where that isn't zero; attribute
    /// <see cref="Finding"/>.
    /// </summary>
    public const string DoctorUsage = "tenancy.doctor.usage";

    /// <summary>Sum that goes up and down: contexts that serve a tenant at this moment.</summary>
    public const string Leases = "tenancy.leases";

    /// <summary>
    /// Counter: connections that were closed for their server process's memory, see
    /// <see cref="TenancyOptions.BackendMemory"/>.
    /// </summary>
    public const string ConnectionsRecycled = "tenancy.connections.recycled";

    /// <summary>Counter: lookups of a tenant by its slug; attribute <see cref="Result"/>.</summary>
    public const string DirectoryLookups = "tenancy.directory.lookups";

    /// <summary>
    /// Counter: commands and requests that were refused; attributes <see cref="Refused"/> and <see cref="Reason"/>.
    /// </summary>
    public const string Refusals = "tenancy.refusals";

    /// <summary>Counter: requests answered with 503; attribute <see cref="Reason"/>.</summary>
    public const string Unavailable = "tenancy.unavailable";

    /// <summary>Counter: schemas that runs migrated or failed on; attribute <see cref="Outcome"/>.</summary>
    public const string Migrations = "tenancy.migrations";

    /// <summary>
    /// Histogram, seconds: from a run's first statement to its report; attribute <see cref="Outcome"/>.
    /// </summary>
    public const string RunDuration = "tenancy.migration.run.duration";

    /// <summary>Histogram, seconds: the transaction of a group of schemas that were migrated together.</summary>
    public const string GroupDuration = "tenancy.migration.group.duration";

    /// <summary>
    /// Histogram, seconds: making or renaming a new tenant's schema; attributes <see cref="ProvisioningSource"/> and
    /// <see cref="ErrorType"/>.
    /// </summary>
    public const string ProvisioningDuration = "tenancy.provisioning.duration";

    /// <summary>Metric attribute: a <see cref="SchemaState"/> in lower case, as the ledger has it.</summary>
    public const string State = "tenancy.state";

    /// <summary>
    /// Attribute: the database of the tenants, one of <see cref="TenancyOptions.Databases"/>. The first database's
    /// values don't have it.
    /// </summary>
    public const string Database = "tenancy.database";

    /// <summary>
    /// Metric attribute: the last migration's id and the first 8 digits of the version, <c>20261123101500_Initial
    /// (1f3a9c04)</c>; <c>other</c> for all but the ten versions that most tenants have.
    /// </summary>
    public const string Version = "tenancy.version";

    /// <summary>
    /// Metric attribute: what a version means to this build: <c>current</c>, <c>behind</c>, <c>ahead</c>,
    /// <c>ahead_and_breaking</c>.
    /// </summary>
    public const string Standing = "tenancy.standing";

    /// <summary>
    /// Metric attribute: <c>hit</c> when the cache answered, <c>miss</c> when the registry was asked.
    /// </summary>
    public const string Result = "tenancy.result";

    /// <summary>Metric attribute: what was refused, <c>command</c> or <c>request</c>.</summary>
    public const string Refused = "tenancy.refused";

    /// <summary>Metric attribute: why; see the metric.</summary>
    public const string Reason = "tenancy.reason";

    /// <summary>Metric attribute: how it ended; see the metric.</summary>
    public const string Outcome = "tenancy.outcome";

    /// <summary>Metric attribute: where a new tenant's schema came from, <c>made</c> or <c>spare</c>.</summary>
    public const string ProvisioningSource = "tenancy.provisioning.source";

    /// <summary>Metric attribute: a <see cref="DoctorFinding.Id"/>.</summary>
    public const string Finding = "tenancy.finding";

    /// <summary>
    /// Metric attribute of the semantic conventions: PostgreSQL's SQLSTATE or the exception's type; absent on success.
    /// </summary>
    public const string ErrorType = "error.type";
}

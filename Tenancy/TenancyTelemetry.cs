using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Tenancy;

/// <summary>
/// The library's names in telemetry, all of them. Attributes follow OpenTelemetry's semantic conventions for databases, where a schema is
/// part of the namespace. No metric carries a tenant: ten thousand of them would be ten thousand series.
/// </summary>
public static class TenancyTelemetry
{
    /// <summary>The name of the activity source and of the meter.</summary>
    public const string Name = "Tenancy";

    /// <summary>Span attribute: the tenant's schema.</summary>
    public const string Namespace = "db.namespace";

    /// <summary>Span attribute: the tenant's slug.</summary>
    public const string Tenant = "tenant.slug";

    /// <summary>Metric attribute: how it ended, see the metric.</summary>
    public const string Outcome = "outcome";

    /// <summary>Metric attribute: which <see cref="CommandRule"/> a refused command breaks, or <c>NoTenantException</c>.</summary>
    public const string Rule = "tenancy.rule";

    /// <summary>Span: the registry is asked for a tenant.</summary>
    public const string FindTenant = "find tenant";

    /// <summary>Span: a tenant gets its schema; attributes <see cref="Namespace"/> and <see cref="FromSpare"/>.</summary>
    public const string ProvisionSchema = "provision schema";

    /// <summary>Span attribute: whether the schema was made beforehand, see <see cref="TenancyOptions.WarmPool"/>.</summary>
    public const string FromSpare = "tenancy.from_spare";

    /// <summary>Span: one run over the fleet; attributes <see cref="Migrated"/> and <see cref="Failed"/>.</summary>
    public const string MigrateFleet = "migrate fleet";

    /// <summary>Span: a group of schemas is migrated in one transaction; attributes <see cref="Ring"/> and <see cref="Schemas"/>, and <see cref="Namespace"/> where it is one.</summary>
    public const string MigrateGroup = "migrate group";

    /// <summary>Span: a schema's failure, inside its group's; attribute <see cref="Namespace"/>, status with the error.</summary>
    public const string MigrateFailed = "migration failed";

    /// <summary>Span: schemas are compared with the migrations; attribute <see cref="Schemas"/>.</summary>
    public const string VerifyFleet = "verify fleet";

    /// <summary>Span attribute: the ring.</summary>
    public const string Ring = "tenancy.ring";

    /// <summary>Span attribute: how many schemas a group has, or were compared.</summary>
    public const string Schemas = "tenancy.schemas";

    /// <summary>Span: one report over many tenants.</summary>
    public const string ReadAcrossTenants = "read across tenants";

    /// <summary>Span attribute: schemas that a run migrated.</summary>
    public const string Migrated = "tenancy.migrated";

    /// <summary>Span attribute: schemas that a run failed on.</summary>
    public const string Failed = "tenancy.failed";

    internal static readonly ActivitySource Source = new(Name);

    private static readonly Meter Meter = new(Name);

    /// <summary>Schemas migrated; <see cref="Outcome"/>: migrated, failed.</summary>
    internal static readonly Counter<long> Migrations =
        Meter.CreateCounter<long>("tenancy.migrations", "{schema}", "Schemas that a migration run brought to its version, or failed to.");

    /// <summary>How long a group's transaction took, seconds.</summary>
    internal static readonly Histogram<double> GroupDuration =
        Meter.CreateHistogram<double>("tenancy.migration.group.duration", "s", "How long the transaction of a group of schemas took that were migrated together.");

    /// <summary>Commands that were not sent; <see cref="Rule"/>. Each is a defect in the application, or an attack.</summary>
    private static readonly Counter<long> Refusals =
        Meter.CreateCounter<long>("tenancy.refusals", "{command}", "Commands that the guard refused, and work that had no tenant.");

    internal static void CountRefusal(string rule) => Refusals.Add(1, new KeyValuePair<string, object?>(Rule, rule));
}

using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Tenancy;

/// <summary>
/// The library's names in telemetry. Attributes follow OpenTelemetry's semantic conventions for databases, where the schema is part of
/// the namespace. No metric carries a tenant: ten thousand of them would be ten thousand series.
/// </summary>
public static class TenancyTelemetry
{
    /// <summary>The name of the activity source and of the meter.</summary>
    public const string Name = "Tenancy";

    /// <summary>Span attribute: the tenant's schema.</summary>
    public const string Namespace = "db.namespace";

    /// <summary>Span attribute: the tenant's slug.</summary>
    public const string Tenant = "tenant.slug";

    /// <summary>Span: one report over many tenants.</summary>
    public const string ReadAcrossTenants = "read across tenants";

    internal static readonly ActivitySource Source = new(Name);

    private static readonly Meter Meter = new(Name);

    /// <summary>Schemas migrated; attribute <c>outcome</c>: migrated, failed.</summary>
    internal static readonly Counter<long> Migrations =
        Meter.CreateCounter<long>("tenancy.migrations", "{schema}", "Schemas that a migration run brought to its version, or failed to.");

    /// <summary>How long one schema took, seconds.</summary>
    internal static readonly Histogram<double> MigrationDuration =
        Meter.CreateHistogram<double>("tenancy.migration.duration", "s", "How long the migration of one schema took.");
}

namespace Aspire.Npgsql.EntityFrameworkCore.PostgreSQL;

/// <summary>Bound from the section <c>Aspire:Npgsql:EntityFrameworkCore:PostgreSQL</c>, then from its part named like the context.</summary>
public class NpgsqlEntityFrameworkCorePostgreSQLSettings
{
    public string? ConnectionString { get; set; }

    /// <summary>In seconds; Npgsql's own default when null.</summary>
    public int? CommandTimeout { get; set; }

    public bool DisableRetry { get; set; }

    public bool DisableHealthChecks { get; set; }

    public bool DisableTracing { get; set; }

    public bool DisableMetrics { get; set; }
}

using System.Diagnostics;
using Npgsql;
using Tenancy.Sql;

namespace Tenancy;

/// <summary>
/// The names and attributes of the data sources' spans. Nothing is computed while nobody listens.
/// </summary>
internal sealed class DatabaseSpans(string database, IEnumerable<string> sharedSchemas)
{
    private const string Operation = "db.operation.name";
    private const string Collection = "db.collection.name";
    private const string Summary = "db.query.summary";

    private readonly HashSet<string> _shared = [.. sharedSchemas, "tenancy", "pg_catalog", "information_schema"];

    public void Configure(NpgsqlTracingOptionsBuilder tracing) => tracing
        .ConfigureCommandSpanNameProvider(command => StatementSummary.Of(command.CommandText).Name)
        .ConfigureCommandEnrichmentCallback((span, command) => Enrich(span, StatementSummary.Of(command.CommandText)))
        .ConfigureBatchSpanNameProvider(batch => Of(batch).Name)
        .ConfigureBatchEnrichmentCallback((span, batch) => Enrich(span, Of(batch)))
        .ConfigureCopyOperationSpanNameProvider(copy => StatementSummary.Of(copy).Name)
        .ConfigureCopyOperationEnrichmentCallback((span, copy) => Enrich(span, StatementSummary.Of(copy)));

    private static StatementSummary Of(NpgsqlBatch batch) =>
        StatementSummary.Of(
            ((IEnumerable<NpgsqlBatchCommand>)batch.BatchCommands).Select(command => command.CommandText));

    private void Enrich(Activity span, StatementSummary summary)
    {
        var tenant = TenancyTelemetry.TenantOf(span);
        span.SetTag(Summary, summary.Name).SetTag(Operation, summary.Operation).SetTag(Collection, summary.Table)
            .SetTag(TenancyTelemetry.Tenant, tenant);
        // A tenant's schema only where the span is that tenant's: reports and groups of migrations name many.
        if (summary.Schema is { } schema && (tenant is not null || _shared.Contains(schema)))
        {
            span.SetTag(TenancyTelemetry.Namespace, TenancyTelemetry.NamespaceOf(database, schema));
        }
    }
}

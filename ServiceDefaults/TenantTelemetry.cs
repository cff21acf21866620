using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Logs;

namespace Microsoft.Extensions.Hosting;

/// <summary>The tenant that spans and log records inherit, under the name that the library Tenancy gives it.</summary>
internal static class TenantTelemetry
{
    public const string Slug = "tenant.slug";

    /// <summary>The tenant of a span or of the nearest one above it in this process.</summary>
    public static object? Of(Activity? span)
    {
        for (; span is not null; span = span.Parent)
        {
            if (span.GetTagItem(Slug) is { } slug)
            {
                return slug;
            }
        }

        return null;
    }
}

/// <summary>
/// A span gets the tenant of the one above it: a call of another service carries it as the request does that makes it.
/// </summary>
internal sealed class TenantOnSpans : BaseProcessor<Activity>
{
    public override void OnStart(Activity data)
    {
        if (data.GetTagItem(TenantTelemetry.Slug) is null && TenantTelemetry.Of(data.Parent) is { } slug)
        {
            data.SetTag(TenantTelemetry.Slug, slug);
        }
    }

    /// <summary>Again: the tenant may have been chosen while it was open.</summary>
    public override void OnEnd(Activity data) => OnStart(data);
}

/// <summary>
/// A log record gets the tenant of the span that it belongs to. What the server and the outer middleware write about a
/// request is outside of its log scope.
/// </summary>
internal sealed class TenantOnLogs : BaseProcessor<LogRecord>
{
    public override void OnEnd(LogRecord data)
    {
        if (TenantTelemetry.Of(Activity.Current) is not { } slug)
        {
            return;
        }

        var scoped = new StrongBox();
        data.ForEachScope(static (scope, found) => found.Value |= Has(scope), scoped);
        if (!scoped.Value && data.Attributes?.Any(attribute => attribute.Key == TenantTelemetry.Slug) is not true)
        {
            data.Attributes = [.. data.Attributes ?? [], new(TenantTelemetry.Slug, slug)];
        }
    }

    private static bool Has(LogRecordScope scope)
    {
        foreach (var (key, _) in scope)
        {
            if (key == TenantTelemetry.Slug)
            {
                return true;
            }
        }

        return false;
    }

    private sealed class StrongBox
    {
        public bool Value { get; set; }
    }
}

using System.Collections;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Tenancy;

/// <summary>Spans and log scopes of work for one tenant, and work that leaves no spans.</summary>
public static partial class TenancyTelemetry
{
    /// <summary>
    /// Starts a span of the source <see cref="Name"/> for one tenant's work. Database spans beneath it carry the tenant
    /// too.
    /// </summary>
    /// <param name="slug">The tenant's slug.</param>
    /// <param name="name">What is done, in words that are the same for all tenants: <c>create customer</c>.</param>
    /// <returns>Null while nobody listens.</returns>
    public static Activity? StartFor(string slug, string name) => Source.StartActivity(name)?.SetTag(Tenant, slug);

    /// <summary>
    /// Writes the tenant on the current span, and on those above it up to the request's or the message's, unless they
    /// have one: such a span is open before anybody knows whom it is for. <see cref="CurrentTenant.Choose"/> calls it;
    /// whoever knows the tenant earlier, or refuses it, does so too.
    /// </summary>
    /// <param name="slug">The tenant's slug.</param>
    public static void TagTenant(string slug)
    {
        var top = Activity.Current;
        while (top is { Parent: not null, Kind: not (ActivityKind.Server or ActivityKind.Consumer) })
        {
            top = top.Parent;
        }

        // The root of work that nobody asked for from outside, a job's, is no tenant's.
        if (top?.Kind is not (ActivityKind.Server or ActivityKind.Consumer))
        {
            top = Activity.Current;
        }

        for (var span = Activity.Current; span is not null; span = span == top ? null : span.Parent)
        {
            if (span.GetTagItem(Tenant) is null)
            {
                span.SetTag(Tenant, slug);
            }
        }
    }

    /// <summary>
    /// Puts the tenant on every log record that is written until the scope is disposed of, under the key
    /// <see cref="Tenant"/>.
    /// </summary>
    /// <param name="log">Any logger: scopes belong to the flow of execution.</param>
    /// <param name="slug">The tenant's slug.</param>
    public static IDisposable? BeginTenantScope(this ILogger log, string slug)
    {
        ArgumentNullException.ThrowIfNull(log);
        return log.BeginScope(new TenantScope(slug));
    }

    /// <summary>
    /// Lets no spans be recorded until it is disposed of: for questions that a loop asks whether or not anything
    /// happens. A span follows its parent, and this parent isn't recorded. An application that sets a sampler which
    /// ignores parents records them nevertheless.
    /// </summary>
    internal static IDisposable Unrecorded() =>
        new Activity("unrecorded") { ActivityTraceFlags = ActivityTraceFlags.None }.Start();

    /// <summary>Starts a span of the library's; it has the tenant of the one above it.</summary>
    internal static Activity? Start(string name)
    {
        var span = Source.StartActivity(name);
        return span?.SetTag(Tenant, TenantOf(span));
    }

    /// <summary>
    /// Begins a flow of execution that belongs to no span: a loop in the background isn't a part of the start that
    /// began it.
    /// </summary>
    internal static void Detach() => Activity.Current = null;

    /// <summary>As the semantic conventions have it for PostgreSQL.</summary>
    internal static string NamespaceOf(string database, string schema) => $"{database}|{schema}";

    /// <summary>The same, for a schema that a connection of that data source reaches.</summary>
    internal static string NamespaceOf(NpgsqlDataSource database, SchemaName schema) =>
        NamespaceOf(TenantDataSource.DatabaseOf(new(database.ConnectionString)), schema.Value);

    /// <summary>
    /// The tenant of a span or of the nearest one above it in this process; null where there is none.
    /// </summary>
    internal static string? TenantOf(Activity? span)
    {
        for (; span is not null; span = span.Parent)
        {
            if (span.GetTagItem(Tenant) is string slug)
            {
                return slug;
            }
        }

        return null;
    }

    /// <summary>Loggers that understand structure read the pair, the console reads the words.</summary>
    private sealed class TenantScope(string slug) : IReadOnlyList<KeyValuePair<string, object?>>
    {
        public int Count => 1;

        public KeyValuePair<string, object?> this[int index] =>
            index == 0 ? new(Tenant, slug) : throw new ArgumentOutOfRangeException(nameof(index));

        public IEnumerator<KeyValuePair<string, object?>> GetEnumerator()
        {
            yield return this[0];
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        public override string ToString() => $"{Tenant}:{slug}";
    }
}

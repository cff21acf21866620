using Xunit;

namespace Tests.Integration.Telemetry;

/// <summary>Spans as the traces that they make.</summary>
internal static class Traces
{
    /// <summary>
    /// The roots of all traces, in order of their names, and the program that each began in: <c>api: start api</c>.
    /// Fails where a span's parent isn't among them: nobody could see what it belongs to.
    /// </summary>
    public static string[] Roots(this IReadOnlyCollection<ReceivedSpan> spans)
    {
        var ids = spans.Select(span => span.Id).ToHashSet();
        var orphans = spans.Where(span => span.Parent.Length > 0 && !ids.Contains(span.Parent));
        Assert.True(!orphans.Any(), $"Orphans: {string.Join(Environment.NewLine, orphans)}");
        return [.. spans.Where(span => span.Parent.Length == 0).Select(span => $"{span.Service}: {span.Name}")
            .Order(StringComparer.Ordinal)];
    }

    /// <summary>The spans of that name.</summary>
    public static IReadOnlyList<ReceivedSpan> Named(this IEnumerable<ReceivedSpan> spans, string name) =>
        [.. spans.Where(span => span.Name == name)];

    /// <summary>The names from a span up to its root.</summary>
    public static string Path(this IReadOnlyCollection<ReceivedSpan> spans, ReceivedSpan span) =>
        spans.SingleOrDefault(above => above.Id == span.Parent) is { } parent
            ? $"{spans.Path(parent)} > {span.Name}"
            : span.Name;
}

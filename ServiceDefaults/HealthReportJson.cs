using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Microsoft.Extensions.Hosting;

/// <summary>
/// What <c>/health</c> answers: the whole status, and each check's with its description and data. No exception and no
/// connection string.
/// </summary>
internal static class HealthReportJson
{
    private static readonly JsonSerializerOptions Web = new(JsonSerializerDefaults.Web);

    public static Task WriteAsync(HttpContext context, HealthReport report) => context.Response.WriteAsJsonAsync(
        new Report($"{report.Status}", report.Entries.ToDictionary(
            entry => entry.Key,
            entry => new Entry($"{entry.Value.Status}", entry.Value.Description, entry.Value.Data))),
        Web, context.RequestAborted);

    private sealed record Report(string Status, IReadOnlyDictionary<string, Entry> Entries);

    private sealed record Entry(string Status, string? Description, IReadOnlyDictionary<string, object> Data);
}

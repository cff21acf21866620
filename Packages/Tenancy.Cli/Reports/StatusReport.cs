using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spectre.Console;

namespace Tenancy.Cli.Reports;

/// <summary>The report of the command status: tenants by version, failed and behind.</summary>
internal static class StatusReport
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true, Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    public static void WriteJson(IAnsiConsole console, object status) =>
        console.Profile.Out.Writer.WriteLine(JsonSerializer.Serialize(status, Json));

    public static void Write(ReportWriter report, FleetStatus status)
    {
        report.Summary(
            $"{Schemas(status.Total)}, {status.Behind} behind, {status.Failures.Count} failed. Target: {Or(status.Target, "no migration")}.");
        if (status.Groups.Count > 0)
        {
            report.Table("Schemas", ["ring", "state", "last migration", "version", "schemas"],
                status.Groups.Select(group => (string[])
                    [Number(group.Ring), Lower(group.State), Or(group.Last, "unknown"), Standing(group),
                        Number(group.Schemas)]));
        }

        foreach (var late in status.Groups.Where(group => group is { IsMigrated: true, Late.Count: > 0 }))
        {
            report.Line(
                $"Merged late: {Schemas(late.Schemas)} at {late.Last} without the older {string.Join(", ", late.Late)}; a run applies it, and what is there stays.");
        }

        if (status.Failures.Count > 0)
        {
            report.Table("Failed", ["schema", "ring", "attempts", "error"], status.Failures.Select(failure => (string[])
            [
                failure.Schema, Number(failure.Ring), Number(failure.Attempts),
                failure.Unfinished is null
                    ? failure.Error
                    : $"{failure.Error} (begun and not ended: {failure.Unfinished})",
            ]));
        }

        if (status.Laggards.Count > 0)
        {
            var title = status.Behind > status.Laggards.Count ? $"Behind, the first {status.Laggards.Count}" : "Behind";
            report.Table(
                title, ["schema", "ring", "last migration", "missing"], status.Laggards.Select(laggard => (string[])
                    [laggard.Schema, Number(laggard.Ring), Or(laggard.Last, "unknown"), Number(laggard.Missing)]));
        }

        if (status.Runs.Count > 0)
        {
            report.Table("Runs", ["began", "by", "what", "outcome", "done", "failed", "ring"],
                status.Runs.Select(run => (string[])
                [
                    run.StartedAt.ToString("u", CultureInfo.InvariantCulture), run.AskedBy,
                    run.Kind == "task" ? $"task {run.Target}" : $"{run.Kind} to {Or(run.Target, "0")}",
                    run.Halt is null ? run.Outcome : $"{run.Outcome}: {run.Halt}",
                    $"{Number(run.Migrated)} of {Number(run.Total)}", Number(run.Failed), Number(run.Ring),
                ]));
        }
    }

    public static string Number(int? value) => value?.ToString(CultureInfo.InvariantCulture) ?? "";

    public static string Schemas(int count) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} schema{(count == 1 ? "" : "s")}");

    private static string Standing(FleetGroup group) => group.Standing switch
    {
        VersionStanding.Current => "this build's",
        VersionStanding.Behind => $"behind, lacks {group.Missing.Count}",
        VersionStanding.Ahead => $"ahead by {group.Unknown.Count}",
        _ => $"ahead by {group.Unknown.Count}, breaks this build",
    };

    private static string Lower(SchemaState state) => state.ToString().ToLowerInvariant();

    private static string Or(string? text, string otherwise) => string.IsNullOrEmpty(text) ? otherwise : text;
}

using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spectre.Console;
using Tenancy;

namespace MigrationService.Reports;

/// <summary>The command status: who is where.</summary>
internal static class StatusReport
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true, Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    public static void WriteJson(IAnsiConsole console, object status) => console.Profile.Out.Writer.WriteLine(JsonSerializer.Serialize(status, Json));

    public static void Write(IAnsiConsole console, FleetStatus status)
    {
        console.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"[bold]{Schemas(status.Total)}[/], [bold]{status.Behind}[/] behind, [bold]{status.Failures.Count}[/] failed. Target: {Or(status.Target, "no migration")}.");
        if (status.Groups.Count > 0)
        {
            Write(console, status.Groups);
        }

        foreach (var late in status.Groups.Where(group => group is { IsMigrated: true, Late.Count: > 0 }))
        {
            console.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"Merged late: {Schemas(late.Schemas)} at {late.Last} without the older {string.Join(", ", late.Late)}; a run applies it, and what is there stays.");
        }

        if (status.Failures.Count > 0)
        {
            var failures = Table(console, "Failed", "schema", "ring", "attempts", "error");
            foreach (var failure in status.Failures)
            {
                Row(failures, failure.Schema, Number(failure.Ring), Number(failure.Attempts), failure.Unfinished is null ? failure.Error : $"{failure.Error} (begun and not ended: {failure.Unfinished})");
            }

            console.Write(failures);
        }

        if (status.Laggards.Count > 0)
        {
            var laggards = Table(console, status.Behind > status.Laggards.Count ? $"Behind, the first {status.Laggards.Count}" : "Behind", "schema", "ring", "last migration", "missing");
            foreach (var laggard in status.Laggards)
            {
                Row(laggards, laggard.Schema, Number(laggard.Ring), Or(laggard.Last, "unknown"), Number(laggard.Missing));
            }

            console.Write(laggards);
        }

        if (status.Runs.Count > 0)
        {
            Write(console, status.Runs);
        }
    }

    /// <summary>The title on a line of its own: above a narrow table it would be broken.</summary>
    public static Table Table(IAnsiConsole console, string title, params string[] columns)
    {
        console.WriteLine();
        console.WriteLine(title);
        var table = new Table().Border(TableBorder.Simple);
        foreach (var column in columns)
        {
            table.AddColumn(Markup.Escape(column));
        }

        return table;
    }

    public static void Row(Table table, params string[] cells) => table.AddRow([.. cells.Select(cell => new Text(cell))]);

    public static string Number(int? value) => value?.ToString(CultureInfo.InvariantCulture) ?? "";

    public static string Schemas(int count) => string.Create(CultureInfo.InvariantCulture, $"{count} schema{(count == 1 ? "" : "s")}");

    private static void Write(IAnsiConsole console, IReadOnlyList<FleetGroup> groups)
    {
        var table = Table(console, "Schemas", "ring", "state", "last migration", "version", "schemas");
        foreach (var group in groups)
        {
            Row(table, Number(group.Ring), Lower(group.State), Or(group.Last, "unknown"), Standing(group), Number(group.Schemas));
        }

        console.Write(table);
    }

    private static void Write(IAnsiConsole console, IReadOnlyList<FleetRunStatus> runs)
    {
        var table = Table(console, "Runs", "began", "by", "what", "outcome", "migrated", "failed", "ring");
        foreach (var run in runs)
        {
            Row(
                table, run.StartedAt.ToString("u", CultureInfo.InvariantCulture), run.AskedBy, $"{run.Kind} to {Or(run.Target, "0")}", run.Halt is null ? run.Outcome : $"{run.Outcome}: {run.Halt}",
                $"{Number(run.Migrated)} of {Number(run.Total)}", Number(run.Failed), Number(run.Ring));
        }

        console.Write(table);
    }

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

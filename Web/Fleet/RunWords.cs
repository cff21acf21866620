using System.Globalization;
using Web.Shell;

namespace Web.Fleet;

/// <summary>Runs in words. A kind or an outcome that this page doesn't know yet is shown as it is.</summary>
internal static class RunWords
{
    public static string Kind(FleetRun run) => run.Kind switch
    {
        "migrate" => "Migration",
        "retry" => "Retry of failed migrations",
        "down" => "Migrations taken back",
        "task" => $"Task {run.Target}",
        _ => run.Kind,
    };

    public static string Outcome(FleetRun run) => run switch
    {
        { Outcome: "running", Halt: not null } => "Ending",
        { Outcome: "running" } => "Running",
        { Outcome: "silent" } => "Not responding",
        { Outcome: "done", Failed: > 0, Migrated: 0 } => "All failed",
        { Outcome: "done", Failed: > 0 } => "Done, some failed",
        { Outcome: "done" } => "Done",
        { Outcome: "halted" } => "Halted",
        { Outcome: "cancelled" } => "Cancelled",
        { Outcome: "broken" } => "Broken off",
        { Outcome: "lost" } => "Lost",
        _ => run.Outcome,
    };

    /// <summary>What an outcome means; null where the word says it.</summary>
    public static string? Meaning(FleetRun run) => run switch
    {
        { Halt: { } halt } => halt,
        { Outcome: "silent" } => "Its process hasn't reported for 15 seconds.",
        { Outcome: "lost" } => "Its process stopped without a report. What it had migrated stays.",
        { Outcome: "broken" } => "The database failed. Start it again: it goes on where it was.",
        _ => null,
    };

    /// <summary>The last migration that schemas shall have, without its time stamp; empty for a task's run.</summary>
    public static string Target(FleetRun run) => run switch
    {
        { Kind: "task" } => "",
        { Target: "" } => "before all migrations",
        _ => Short(run.Target),
    };

    /// <summary>A migration's id without its time stamp.</summary>
    public static string Short(string migration) => migration[(migration.IndexOf('_', StringComparison.Ordinal) + 1)..];

    /// <summary>Schemas in a second, since it began; null as long as nobody can say.</summary>
    public static double? Rate(FleetRun run) =>
        (run.HeartbeatAt - run.StartedAt).TotalSeconds is > 0.5 and var seconds && run.Done > 0
            ? run.Done / seconds
            : null;

    /// <summary>How long it will still take at that rate; null as long as nobody can say.</summary>
    public static TimeSpan? Left(FleetRun run) =>
        Rate(run) is { } rate && run.Total >= run.Done ? TimeSpan.FromSeconds((run.Total - run.Done) / rate) : null;

    /// <summary>
    /// How far it is: <c>Ring 1. 40 of 120 done, 2 failed. 12.3 per second, about 8 seconds left.</c>
    /// </summary>
    public static string Progress(FleetRun run)
    {
        var culture = CultureInfo.CurrentCulture;
        var words = string.Create(culture,
            $"{(run.Ring is { } ring ? $"Ring {ring}. " : "")}{run.Migrated:N0} of {run.Total:N0} done" +
            $"{(run.Failed > 0 ? $", {run.Failed:N0} failed" : "")}.");
        return Rate(run) is { } rate && Left(run) is { } left
            ? $"{words} {Speed(rate)}, {(left > TimeSpan.Zero ? $"about {Words.Duration(left)} left" : "almost done")}."
            : words;
    }

    /// <summary>How long it took.</summary>
    public static string Took(FleetRun run) => run.EndedAt is { } ended ? Words.Duration(ended - run.StartedAt) : "–";

    private static string Speed(double rate) => rate >= 1
        ? string.Create(CultureInfo.CurrentCulture, $"{rate:#,##0.#} per second")
        : string.Create(CultureInfo.CurrentCulture, $"{rate * 60:0.#} per minute");
}

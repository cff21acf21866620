using System.CommandLine;
using System.Globalization;
using Tenancy.Cli.Reports;

namespace Tenancy.Cli.Commands;

/// <summary>The effect of failed tenants on the run and its exit code.</summary>
internal enum OnFailure
{
    Fail,
    Isolate,
}

/// <summary>
/// The options that say whom a command is about and how it works, the same for every command that has them.
/// </summary>
internal sealed class FleetArguments(string noun)
{
    /// <summary>E.g. --tenant, or -t.</summary>
    public Option<string[]> Tenant { get; } = new($"--{noun}", $"-{noun[0]}")
    {
        Description = $"Only this {noun}, by slug or schema; may be repeated", HelpName = "slug",
        AllowMultipleArgumentsPerToken = true,
    };

    public Option<int?> Ring { get; } = Whole(
        "--ring", "Only this ring; without it all, one after the other", null, 0, 1_000_000);

    public Option<string> To { get; } = new("--to")
    {
        Description = "Up to this migration, by id or name; who is further stays there", HelpName = "migration",
    };

    public Option<string> DownTo { get; } = new("--to")
    {
        Description = "The last migration that stays applied, by id or name; 0 takes all of them back",
        HelpName = "migration", Required = true,
    };

    public Option<int?> Workers { get; } = Whole("--workers",
        "How many groups are migrated at the same time, each over a connection", new FleetPlan().Workers, 1, 64);

    public Option<int?> Group { get; } = Whole(
        "--group", $"How many {noun}s share a transaction", new FleetPlan().Group, 1, 1000);

    public Option<int?> LockTimeout { get; } = Whole(
        "--lock-timeout",
        "How long a statement waits for live traffic before it gives way and is tried again, milliseconds",
        (int)new FleetPlan().LockTimeout.TotalMilliseconds, 1, 3_600_000);

    public Option<int?> StatementTimeout { get; } = Whole("--statement-timeout",
        "How long a statement may take, milliseconds; without it as long as it wants", null, 1, 86_400_000);

    public Option<int?> LogEvery { get; } = Whole("--log-every",
        $"Where the output is no terminal: a line of progress for every so many {noun}s", 500, 1, 1_000_000);

    public Option<ReportFormat> Format { get; } = new("--format")
    {
        Description = "How to write the answer: text for people, json for programs, markdown for pages",
    };

    public Option<bool> Json { get; } = new("--json") { Description = "The same as --format json" };

    /// <summary>The options of a report's format.</summary>
    public Option[] Report => [Format, Json];

    public Option<OnFailure> OnFailure { get; } = new("--on-failure")
    {
        Description =
            $"fail: exit with 1 if {noun}s failed, halt when more failed than their ring allows (none in ring 0, " +
            $"1 % later); isolate: go on with the others of the ring and exit with 0, each failed {noun} is " +
            $"recorded and answered with 503",
        DefaultValueFactory = _ => Commands.OnFailure.Fail,
    };

    /// <summary>The plan of a run, from the command line.</summary>
    public Option[] Run => [Workers, Group, LockTimeout, StatementTimeout, OnFailure, LogEvery];

    /// <summary>The plan that these options describe.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="only">The schemas of <see cref="Tenant"/>.</param>
    public FleetPlan Plan(ParseResult parsed, IReadOnlyList<SchemaName>? only) => new()
    {
        Only = only,
        Ring = parsed.GetValue(Ring),
        Workers = parsed.GetValue(Workers) ?? new FleetPlan().Workers,
        Group = parsed.GetValue(Group) ?? new FleetPlan().Group,
        LockTimeout = TimeSpan.FromMilliseconds(
            parsed.GetValue(LockTimeout) ?? new FleetPlan().LockTimeout.TotalMilliseconds),
        StatementTimeout = parsed.GetValue(StatementTimeout) is { } limit ? TimeSpan.FromMilliseconds(limit) : null,
        Isolate = parsed.GetValue(OnFailure) == Commands.OnFailure.Isolate,
    };

    /// <summary>Whether a failure is to leave the exit code 0; false for a command without that option.</summary>
    public static bool IsIsolated(ParseResult parsed) =>
        parsed.CommandResult.Command.Options.OfType<Option<OnFailure>>().FirstOrDefault() is { } option
            && parsed.GetValue(option) == Commands.OnFailure.Isolate;

    /// <summary>Reports text that is no number as a usage error.</summary>
    internal static Option<int?> Whole(string name, string description, int? usually, int least, int most) => new(name)
    {
        Description = usually is null
            ? description
            : string.Create(CultureInfo.InvariantCulture, $"{description} [{usually}]"),
        HelpName = "number",
        CustomParser = result =>
        {
            if (int.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out var value) && value >= least
                && value <= most)
            {
                return value;
            }

            result.AddError(
                string.Create(CultureInfo.InvariantCulture,
                    $"{name} takes a number from {least} to {most}, not '{result.Tokens[0].Value}'."));
            return null;
        },
    };
}

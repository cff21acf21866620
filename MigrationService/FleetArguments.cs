using System.CommandLine;
using System.Globalization;
using MigrationService.Reports;
using Tenancy;

namespace MigrationService;

/// <summary>What customers that could not be migrated mean for the run and its exit code.</summary>
internal enum OnFailure
{
    Fail,
    Isolate,
}

/// <summary>
/// The options that say whom a command is about and how it works, the same for every command that has them.
/// </summary>
internal static class FleetArguments
{
    public static readonly Option<string[]> Customer = new("--customer", "-c")
    {
        Description = "Only this customer, by slug or schema; may be repeated", HelpName = "slug",
        AllowMultipleArgumentsPerToken = true,
    };

    public static readonly Option<int?> Ring = Whole(
        "--ring", "Only this ring; without it all, one after the other", null, 0, 1_000_000);

    public static readonly Option<string> To =
        new("--to") { Description = "Up to this migration, by id or name; who is further stays there",
            HelpName = "migration" };

    public static readonly Option<string> DownTo = new("--to")
    {
        Description = "The last migration that stays applied, by id or name; 0 takes all of them back",
        HelpName = "migration", Required = true,
    };

    public static readonly Option<int?> Workers = Whole("--workers",
        "How many groups are migrated at the same time, each over a connection", new FleetPlan().Workers, 1, 64);

    public static readonly Option<int?> Group = Whole(
        "--group", "How many customers share a transaction", new FleetPlan().Group, 1, 1000);

    public static readonly Option<int?> LockTimeout = Whole(
        "--lock-timeout",
        "How long a statement waits for live traffic before it gives way and is tried again, milliseconds",
        (int)new FleetPlan().LockTimeout.TotalMilliseconds, 1, 3_600_000);

    public static readonly Option<int?> StatementTimeout = Whole("--statement-timeout",
        "How long a statement may take, milliseconds; without it as long as it wants", null, 1, 86_400_000);

    public static readonly Option<int?> LogEvery = Whole("--log-every",
        "Where the output is no terminal: a line of progress for every so many customers", 500, 1, 1_000_000);

    public static readonly Option<ReportFormat> Format = new("--format")
    {
        Description = "How to write the answer: text for people, json for programs, markdown for pages",
    };

    public static readonly Option<bool> Json = new("--json") { Description = "The same as --format json" };

    /// <summary>How a command that reports writes its answer.</summary>
    public static readonly Option[] Report = [Format, Json];

    public static readonly Option<OnFailure> OnFailure = new("--on-failure")
    {
        Description =
            "fail: exit with 1 if customers failed, halt when more failed than their ring allows (none in ring 0, " +
            "1 % later); " +
                "isolate: go on with the others of the ring and exit with 0, each failed customer is recorded and " +
                "answered with 503",
        DefaultValueFactory = _ => MigrationService.OnFailure.Fail,
    };

    /// <summary>What a run is told.</summary>
    public static readonly Option[] Run = [Workers, Group, LockTimeout, StatementTimeout, OnFailure, LogEvery];

    /// <summary>The plan that these options describe.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="only">The schemas of <see cref="Customer"/>.</param>
    public static FleetPlan Plan(ParseResult parsed, IReadOnlyList<SchemaName>? only) => new()
    {
        Only = only,
        Ring = parsed.GetValue(Ring),
        Workers = parsed.GetValue(Workers) ?? new FleetPlan().Workers,
        Group = parsed.GetValue(Group) ?? new FleetPlan().Group,
        LockTimeout = TimeSpan.FromMilliseconds(
            parsed.GetValue(LockTimeout) ?? new FleetPlan().LockTimeout.TotalMilliseconds),
        StatementTimeout = parsed.GetValue(StatementTimeout) is { } limit ? TimeSpan.FromMilliseconds(limit) : null,
        Isolate = parsed.GetValue(OnFailure) == MigrationService.OnFailure.Isolate,
    };

    /// <summary>What is no number is told by a sentence, not by a stack trace.</summary>
    private static Option<int?> Whole(string name, string description, int? usually, int least, int most) => new(name)
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

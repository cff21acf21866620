using System.Globalization;
using Web.Fleet;

namespace Web.Doctor;

/// <summary>How the databases are, as the API tells it.</summary>
/// <param name="At">When they were examined; the oldest examination.</param>
/// <param name="Elapsed">How long that took; the longest.</param>
/// <param name="Findings">All numbers, over their limit or not.</param>
public sealed record DoctorReport(DateTimeOffset At, TimeSpan Elapsed, IReadOnlyList<Finding> Findings)
{
    /// <summary>Those that were to be examined, the first one first; empty where there is one.</summary>
    public IReadOnlyList<FleetDatabase> Databases { get; init; } = [];

    /// <summary>Whether there is more than one, and so something to choose.</summary>
    public bool HasSeveral => Databases.Count > 1;

    public IReadOnlyList<Finding> Over => [.. Findings.Where(finding => finding.Verdict == "over")];

    public IReadOnlyList<Finding> Unknown => [.. Findings.Where(finding => finding.Verdict == "unknown")];

    public IReadOnlyList<Finding> Well => [.. Findings.Where(finding => finding.Verdict == "ok")];

    /// <summary>What is of one database; all where it isn't there or didn't answer.</summary>
    /// <param name="choice">Its <see cref="FleetDatabase.Choice"/>; null for all.</param>
    public DoctorReport In(string? choice) => Knows(choice)
        ? this with { Findings = [.. Findings.Where(finding => finding.Place == choice)] }
        : this;

    public bool Knows(string? choice) =>
        Databases.Any(database => database.Choice == choice && database.Error is null);
}

/// <summary>One number beside its limit.</summary>
/// <param name="Id">Its name, which never changes.</param>
/// <param name="Title">The same for people.</param>
/// <param name="Value">The number; null where it isn't known.</param>
/// <param name="Limit">The most that it may be; null where that isn't known, either.</param>
/// <param name="Unit">The unit of both.</param>
/// <param name="Says">The number in a sentence.</param>
/// <param name="Why">Why it hurts over the limit.</param>
/// <param name="Advice">What to do; empty for nothing.</param>
/// <param name="Names">The first that it counts.</param>
/// <param name="Verdict"><c>ok</c>, <c>over</c> or <c>unknown</c>.</param>
public sealed record Finding(
    string Id, string Title, double? Value, double? Limit, string Unit, string Says, string Why, string Advice,
    IReadOnlyList<string> Names, string Verdict)
{
    /// <summary>The database that it is of; null for the first one.</summary>
    public string? Database { get; init; }

    /// <summary>The database's <see cref="FleetDatabase.Choice"/>.</summary>
    public string Place => Database ?? FleetDatabase.First;

    /// <summary>Where it is on the page.</summary>
    public string Anchor => Database is null ? Id : $"{Database}.{Id}";

    /// <summary>The number in its unit, e.g. <c>1.4 GB</c>.</summary>
    public string Number => Words(Value);

    /// <summary>The limit in its unit; <c>none</c> where nothing is allowed.</summary>
    public string Most => Limit == 0 && Unit is not ("seconds" or "%") ? "none" : Words(Limit);

    private string Words(double? value) => (value, Unit) switch
    {
        (null, _) => "–",
        ({ } bytes, "bytes") => Size(bytes),
        ({ } seconds, "seconds") => Age(TimeSpan.FromSeconds(seconds)),
        ({ } share, "%") => $"{share.ToString("#,##0.#", CultureInfo.CurrentCulture)} %",
        ({ } number, _) => $"{number.ToString("#,##0.##", CultureInfo.CurrentCulture)} {One(number)}",
    };

    /// <summary>The unit in the singular where it is one: <c>1 schema</c>, <c>1 eviction per hour</c>.</summary>
    private string One(double number)
    {
        var noun = Unit.Split(' ')[0];
        return number == 1 && noun.EndsWith('s') ? noun[..^1] + Unit[noun.Length..] : Unit;
    }

    private static string Size(double bytes) => bytes >= 1L << 30
        ? $"{(bytes / (1L << 30)).ToString("#,##0.#", CultureInfo.CurrentCulture)} GB"
        : $"{(bytes / (1L << 20)).ToString("#,##0.#", CultureInfo.CurrentCulture)} MB";

    private static string Age(TimeSpan age) => age switch
    {
        { TotalDays: >= 2 } => $"{age.TotalDays.ToString("#,##0.#", CultureInfo.CurrentCulture)} days",
        { TotalHours: >= 2 } => $"{age.TotalHours.ToString("0.#", CultureInfo.CurrentCulture)} hours",
        { TotalSeconds: >= 90 } => $"{age.TotalMinutes.ToString("0", CultureInfo.CurrentCulture)} min",
        _ => $"{age.TotalSeconds.ToString("0", CultureInfo.CurrentCulture)} s",
    };
}

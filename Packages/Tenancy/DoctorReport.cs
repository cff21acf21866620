using System.Globalization;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Tenancy;

/// <summary>What <see cref="TenancyDoctor"/> says of one number.</summary>
public enum DoctorVerdict
{
    /// <summary>The number is within its limit.</summary>
    Ok,

    /// <summary>The number is over its limit.</summary>
    Over,

    /// <summary>The number could not be read; <see cref="DoctorFinding.Advice"/> says what is missing.</summary>
    Unknown,
}

/// <summary>One number beside its limit.</summary>
/// <param name="Id">The finding's name, which never changes, e.g. <c>dead-catalog-rows</c>. docs/doctor.md lists
/// them.</param>
/// <param name="Title">The same for people.</param>
/// <param name="Value">The number; null when it could not be read.</param>
/// <param name="Limit">The most that it may be, see <see cref="DoctorLimits"/>; null where that could not be read,
/// either.</param>
/// <param name="Unit">The unit of both: <c>bytes</c>, <c>seconds</c>, <c>%</c>, or what is counted.</param>
/// <param name="Says">The number in a sentence, with its parts.</param>
/// <param name="Why">Why a number over the limit hurts.</param>
/// <param name="Advice">What to do about it; what is missing where it is unknown. Empty where nothing is to be
/// done.</param>
/// <param name="Names">The first schemas, tables or sessions that the number counts; ten at most.</param>
public sealed record DoctorFinding(
    string Id, string Title, double? Value, double? Limit, string Unit, string Says, string Why, string Advice,
    IReadOnlyList<string> Names)
{
    /// <summary>Whether the number is within its limit.</summary>
    public DoctorVerdict Verdict =>
        Value is null || Limit is null ? DoctorVerdict.Unknown : Value > Limit ? DoctorVerdict.Over : DoctorVerdict.Ok;

    /// <summary>The database that the number is of; null for the first one.</summary>
    public string? Database { get; init; }
}

/// <summary>One examination of a database, or the last ones of several.</summary>
/// <param name="At">When it began; of several, the oldest.</param>
/// <param name="Elapsed">How long it took; of several, the longest.</param>
/// <param name="Findings">All findings, always the same ones in the same order; of several, database by
/// database.</param>
public sealed record DoctorReport(DateTimeOffset At, TimeSpan Elapsed, IReadOnlyList<DoctorFinding> Findings)
{
    /// <summary>How many numbers are over their limit.</summary>
    public int Over => Findings.Count(finding => finding.Verdict == DoctorVerdict.Over);

    /// <summary>How many could not be read.</summary>
    public int Unknown => Findings.Count(finding => finding.Verdict == DoctorVerdict.Unknown);

    /// <summary>
    /// The databases that were to be examined, the first one first; empty where there is one. See
    /// <see cref="TenancyDoctor.ReportOfAllAsync"/>.
    /// </summary>
    public IReadOnlyList<FleetDatabase> Databases { get; init; } = [];

    /// <summary>
    /// What a health check says of it: degraded where a number is over its limit, never unhealthy, because tenants are
    /// served. A database that wasn't examined is named and changes nothing. The data are those findings' names with
    /// their numbers; a name begins with its database, <c>two.relations</c>, unless that is the first one.
    /// </summary>
    public HealthCheckResult Health()
    {
        var over = Findings.Where(finding => finding.Verdict == DoctorVerdict.Over).ToList();
        var missing = string.Concat(Databases.Where(database => database.Error is not null).Select(database =>
            $" The database '{database.Name ?? TenancyOptions.FirstDatabase}' wasn't examined."));
        return over.Count == 0
            ? HealthCheckResult.Healthy(string.Create(CultureInfo.InvariantCulture,
                $"{Findings.Count - Unknown} numbers are within their limits, {Unknown} unknown.{missing}"))
            : HealthCheckResult.Degraded(
                $"Over the limit: {string.Join(", ", over.Select(Words))}. The job's command doctor says what to " +
                $"do.{missing}",
                data: over.ToDictionary(
                    finding => finding.Database is { } database ? $"{database}.{finding.Id}" : finding.Id,
                    finding => (object)finding.Value!.Value));
    }

    private string Words(DoctorFinding finding) => Databases.Count == 0
        ? finding.Id
        : $"{finding.Id} ({finding.Database ?? TenancyOptions.FirstDatabase})";
}

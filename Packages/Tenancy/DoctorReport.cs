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
}

/// <summary>One examination of the database.</summary>
/// <param name="At">When it began.</param>
/// <param name="Elapsed">How long it took.</param>
/// <param name="Findings">All findings, always the same ones in the same order.</param>
public sealed record DoctorReport(DateTimeOffset At, TimeSpan Elapsed, IReadOnlyList<DoctorFinding> Findings)
{
    /// <summary>How many numbers are over their limit.</summary>
    public int Over => Findings.Count(finding => finding.Verdict == DoctorVerdict.Over);

    /// <summary>How many could not be read.</summary>
    public int Unknown => Findings.Count(finding => finding.Verdict == DoctorVerdict.Unknown);

    /// <summary>
    /// What a health check says of it: degraded where a number is over its limit, never unhealthy, because tenants are
    /// served. Its data are those findings' names with their numbers.
    /// </summary>
    public HealthCheckResult Health()
    {
        var over = Findings.Where(finding => finding.Verdict == DoctorVerdict.Over).ToList();
        return over.Count == 0
            ? HealthCheckResult.Healthy(string.Create(CultureInfo.InvariantCulture,
                $"{Findings.Count - Unknown} numbers are within their limits, {Unknown} unknown."))
            : HealthCheckResult.Degraded(
                $"Over the limit: {string.Join(", ", over.Select(finding => finding.Id))}. The job's command doctor " +
                "says what to do.",
                data: over.ToDictionary(finding => finding.Id, finding => (object)finding.Value!.Value));
    }
}

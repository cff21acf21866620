using System.Globalization;

namespace Tenancy.Cli.Reports;

/// <summary>The report of the command doctor: what needs somebody in full, then all numbers.</summary>
internal static class DoctorText
{
    public static void Write(ReportWriter report, DoctorReport doctor)
    {
        foreach (var finding in doctor.Findings.Where(finding => finding.Verdict != DoctorVerdict.Ok))
        {
            Write(report, finding);
        }

        report.Table("Numbers", ["finding", "number", "limit", "unit", "verdict"], doctor.Findings.Select(finding =>
            (string[])[finding.Id, Number(finding.Value), Number(finding.Limit), finding.Unit, Word(finding.Verdict)]));
        var seconds = doctor.Elapsed.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
        report.Summary(
            $"{doctor.Findings.Count} numbers in {seconds} s: {doctor.Over} over the limit, {doctor.Unknown} unknown.");
    }

    /// <summary>One finding in full.</summary>
    public static void Write(ReportWriter report, DoctorFinding finding) => report.List(
        $"{finding.Title} ({finding.Id}): {Word(finding.Verdict)}",
        new[] { finding.Says, finding.Why, finding.Advice }.Where(line => line.Length > 0).Concat(finding.Names));

    private static string Word(DoctorVerdict verdict) => verdict switch
    {
        DoctorVerdict.Ok => "ok",
        DoctorVerdict.Over => "over the limit",
        _ => "unknown",
    };

    private static string Number(double? value) => value?.ToString("#,##0.##", CultureInfo.InvariantCulture) ?? "?";
}

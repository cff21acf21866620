using System.Globalization;

namespace Tenancy.Cli.Reports;

/// <summary>The report of the command plan: the migrations that would run, and the tenants.</summary>
internal static class PlanReport
{
    private const int MostNames = 5;

    public static void Write(
        ReportWriter report, string noun, IReadOnlyList<string> shared, int unknown, IReadOnlyList<PlannedGroup> groups)
    {
        if (shared.Count > 0)
        {
            report.Line($"First the shared schema: {string.Join(", ", shared)}.");
        }

        if (unknown > 0)
        {
            report.Line(
                string.Create(CultureInfo.InvariantCulture,
                    $"{unknown} {noun}s are unknown to the ledger; migrate enrols them, and this plan doesn't show them."));
        }

        if (groups.Count == 0)
        {
            report.Line($"Nothing is pending for the {noun}s.");
            return;
        }

        report.Summary($"{StatusReport.Schemas(groups.Sum(group => group.Schemas.Count))}:");
        foreach (var group in groups)
        {
            report.Table(
                string.Create(CultureInfo.InvariantCulture,
                    $"Ring {group.Ring}: {StatusReport.Schemas(group.Schemas.Count)} at {group.Last ?? "a version that nobody wrote down"}"),
                ["migration", ""],
                group.Steps.Select(step => (string[])[step.Migration, string.Join(", ", Remarks(step))]));
            var more = group.Schemas.Count > MostNames
                ? string.Create(CultureInfo.InvariantCulture, $" and {group.Schemas.Count - MostNames} more")
                : "";
            report.Line($"  {string.Join(", ", group.Schemas.Take(MostNames))}{more}");
        }
    }

    private static IEnumerable<string> Remarks(PlannedStep step)
    {
        if (step.Late)
        {
            yield return "merged late";
        }

        if (step.OutsideTransaction)
        {
            yield return "outside a transaction";
        }

        if (step.BreaksOlderBuilds)
        {
            yield return "breaks older builds";
        }
    }
}

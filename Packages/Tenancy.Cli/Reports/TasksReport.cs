using System.Globalization;

namespace Tenancy.Cli.Reports;

/// <summary>The report of the command tasks.</summary>
internal static class TasksReport
{
    public static void Write(ReportWriter report, string noun, IReadOnlyList<TenantTaskStatus> tasks)
    {
        if (tasks.Count == 0)
        {
            report.Line($"There is no task: this build has registered none, and no {noun} has tried one.");
            return;
        }

        report.Table("Tasks", ["task", "from", "done", "failed", "left"], tasks.Select(task => (string[])
        [
            task.Name, task.IsRegistered ? "this build" : "a file or another build", StatusReport.Number(task.Done),
            StatusReport.Number(task.Failed), StatusReport.Number(task.Left),
        ]));
        if (tasks.Where(task => task.Failed > 0).ToList() is { Count: > 0 } failed)
        {
            report.Table("Last failures", ["task", "schema", "at", "error"], failed.Select(task => (string[])
            [
                task.Name, task.FailedSchema ?? "", task.FailedAt?.ToString("u", CultureInfo.InvariantCulture) ?? "",
                task.LastError ?? "",
            ]));
        }
    }
}

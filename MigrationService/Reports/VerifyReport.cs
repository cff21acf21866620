using System.Globalization;
using Spectre.Console;
using Tenancy;

namespace MigrationService.Reports;

/// <summary>The command verify: what isn't as the migrations, the ledger and the registry say.</summary>
internal static class VerifyReport
{
    public static void Write(IAnsiConsole console, DriftReport report)
    {
        foreach (var drifted in report.Drifted)
        {
            console.WriteLine($"{drifted.Schema}:");
            foreach (var difference in drifted.Differences)
            {
                console.WriteLine($"  {difference}");
            }
        }

        List(console, "Schemas that look like customers' and that the ledger doesn't know:", report.Strays);
        List(console, "Customers of the registry whose schema doesn't exist:", report.Missing);
        List(console, "Schemas of the ledger that no customer of the registry has:", report.Unregistered.Select(schema => schema.Value));
        List(console, "Not compared:", report.Incomparable.Select(schema => $"{schema.Schema}: {schema.Reason}"));
        console.MarkupLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{StatusReport.Schemas(report.Checked)} compared in {report.Elapsed.TotalSeconds:0.0} s: {(report.IsClean ? "[green]nothing differs[/]" : $"[red]{report.Drifted.Count} differ[/]")}."));
    }

    private static void List(IAnsiConsole console, string title, IEnumerable<string> lines)
    {
        foreach (var (at, line) in lines.Index())
        {
            if (at == 0)
            {
                console.WriteLine(title);
            }

            console.WriteLine($"  {line}");
        }
    }
}

using System.Globalization;

namespace Tenancy.Cli.Reports;

/// <summary>The report of the command verify: differences from the migrations, the ledger and the registry.</summary>
internal static class VerifyReport
{
    public static void Write(ReportWriter report, string noun, DriftReport drift)
    {
        foreach (var drifted in drift.Drifted)
        {
            report.List($"{drifted.Schema}:", drifted.Differences);
        }

        report.List($"Schemas that look like {noun}s' and that the ledger doesn't know:", drift.Strays);
        report.List($"{char.ToUpperInvariant(noun[0])}{noun[1..]}s of the registry whose schema doesn't exist:", drift.Missing);
        report.List($"Schemas of the ledger that no {noun} of the registry has:",
            drift.Unregistered.Select(schema => schema.Value));
        report.List("Not compared:", drift.Incomparable.Select(schema => $"{schema.Schema}: {schema.Reason}"));
        var seconds = drift.Elapsed.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
        report.Summary(
            $"{StatusReport.Schemas(drift.Checked)} compared in {seconds} s: {(drift.IsClean ? "nothing differs" : $"{drift.Drifted.Count} differ")}.");
    }
}

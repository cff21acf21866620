using System.Globalization;

namespace Benchmarks.Measuring;

/// <summary>A table as Markdown, so that it can go into the README as it is. The first row is its head.</summary>
internal static class Table
{
    public static void Write(TextWriter output, List<string[]> rows)
    {
        output.WriteLine();
        var widths = rows[0].Select((_, column) => rows.Max(row => row[column].Length)).ToArray();
        rows.Insert(1, [.. widths.Select((width,
            column) => column == 0 ? new string('-', width) : new string('-', width - 1) + ":")]);
        foreach (var row in rows)
        {
            output.WriteLine(
                $"| {string.Join(" | ", row.Select((cell, column) => column == 0 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column])))} |");
        }
    }

    public static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}

using System.Globalization;
using System.Text.RegularExpressions;
using Web.Api;
using Web.Shell;

namespace Web.Invoices;

/// <summary>
/// What is wrong with a file, by column: whoever has mistaken a format has done so in many rows, and one look shows it.
/// </summary>
/// <param name="Column">The column; <c>row</c> for what is wrong with a whole row, <c>file</c> for the file.</param>
/// <param name="Rows">What is wrong in which row, in the file's order.</param>
internal sealed partial record ImportProblems(string Column, IReadOnlyList<ImportProblem> Rows)
{
    /// <summary>In plain words: <c>quantity: 60 rows</c>.</summary>
    public string Title => Rows is [{ Line: null }] ? "The file itself" : Column is Row
        ? Words.Count(Rows.Count, "whole row")
        : $"{Column}: {Words.Count(Rows.Count, "row")}";

    private const string Row = "row";

    /// <summary>By column, the one with most rows first.</summary>
    public static IReadOnlyList<ImportProblems> Of(Problem problem) =>
    [
        .. problem.Errors.Select(error => Read(error.Key, string.Join(' ', error.Value)))
            .GroupBy(one => one.Column, StringComparer.Ordinal)
            .Select(column => new ImportProblems(column.Key, [.. column.OrderBy(one => one.Line)]))
            .OrderByDescending(column => column.Rows.Count).ThenBy(column => column.Column, StringComparer.Ordinal),
    ];

    /// <summary>All of them as a file, in the order of the imported file's lines.</summary>
    public static byte[] ToCsv(IEnumerable<ImportProblems> columns)
    {
        var csv = new Csv("line", "column", "problem");
        foreach (var one in columns.SelectMany(column => column.Rows).OrderBy(one => one.Line))
        {
            csv.Add(one.Line, one.Column, one.Words);
        }

        return csv.ToBytes();
    }

    /// <summary>
    /// The API names a field of a file like this: <c>line 7: quantity</c>, <c>line 7</c>, <c>file</c>.
    /// </summary>
    private static ImportProblem Read(string key, string words) => Place().Match(key) is { Success: true } place
        ? new(long.Parse(place.Groups[1].ValueSpan, CultureInfo.InvariantCulture),
            place.Groups[2].Success ? place.Groups[2].Value : Row, words)
        : new(null, key, words);

    [GeneratedRegex(@"^line (\d{1,9})(?:: (.+))?\z", RegexOptions.Singleline)]
    private static partial Regex Place();
}

/// <param name="Line">The line of the file, as editors count; null for the file as a whole.</param>
/// <param name="Column">The column, or <c>row</c>.</param>
/// <param name="Words">What is wrong.</param>
internal sealed record ImportProblem(long? Line, string Column, string Words);

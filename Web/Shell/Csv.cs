using System.Buffers;
using System.Globalization;
using System.Text;

namespace Web.Shell;

/// <summary>
/// A CSV file for spreadsheets: commas, UTF-8 with its mark, figures as 1234.5. Text that a spreadsheet would take for
/// a formula is written with an apostrophe before it, so that nothing a customer entered runs on an operator's desk.
/// </summary>
internal sealed class Csv
{
    private static readonly byte[] Mark = [0xEF, 0xBB, 0xBF];

    private static readonly SearchValues<char> Quoting = SearchValues.Create("\",;\r\n\t");

    private readonly StringBuilder _text = new();

    /// <param name="columns">The header.</param>
    public Csv(params IEnumerable<object?> columns) => Add(columns);

    /// <param name="cells">Text, or a figure, or null for an empty cell.</param>
    public Csv Add(params IEnumerable<object?> cells)
    {
        _text.AppendJoin(',', cells.Select(Cell)).Append("\r\n");
        return this;
    }

    /// <summary>The whole file.</summary>
    public byte[] ToBytes() => [.. Mark, .. Encoding.UTF8.GetBytes(_text.ToString())];

    public override string ToString() => _text.ToString();

    private static string Cell(object? value) => value switch
    {
        null => "",
        decimal or int or long => ((IFormattable)value).ToString(null, CultureInfo.InvariantCulture),
        _ => Quoted(Harmless($"{value}")),
    };

    /// <summary>Spreadsheets also skip blanks and line breaks in front of a formula.</summary>
    private static string Harmless(string text) =>
        text.TrimStart(' ', '\u00a0') is
            ['=' or '+' or '-' or '@' or '\t' or '\r' or '\n' or '＝' or '＋' or '－' or '＠', ..]
            ? $"'{text}"
            : text;

    private static string Quoted(string text) => text.AsSpan().ContainsAny(Quoting)
        ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
        : text;
}

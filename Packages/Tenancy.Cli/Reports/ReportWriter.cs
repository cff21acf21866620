using System.Globalization;
using Spectre.Console;

namespace Tenancy.Cli.Reports;

/// <summary>Writes a report: lines, lists and tables. One report, two forms.</summary>
internal abstract class ReportWriter
{
    /// <param name="format"><see cref="ReportFormat.Text"/> or <see cref="ReportFormat.Markdown"/>.</param>
    /// <param name="console">Standard output.</param>
    public static ReportWriter For(ReportFormat format, IAnsiConsole console) =>
        format == ReportFormat.Markdown ? new MarkdownWriter(console.Profile.Out.Writer) : new TextWriter(console);

    /// <summary>A sentence; the values in it are emphasized.</summary>
    public abstract void Summary(FormattableString sentence);

    /// <summary>A sentence.</summary>
    public abstract void Line(string sentence);

    /// <summary>Lines that belong together. Writes nothing where there are none.</summary>
    public abstract void List(string title, IEnumerable<string> lines);

    /// <summary>A table with a title. A row has as many cells as there are columns.</summary>
    public abstract void Table(string title, string[] columns, IEnumerable<string[]> rows);

    private sealed class TextWriter(IAnsiConsole console) : ReportWriter
    {
        public override void Summary(FormattableString sentence)
        {
            var values = sentence.GetArguments()
                .Select(value => (object)$"[bold]{Markup.Escape(Invariant(value))}[/]").ToArray();
            console.MarkupLine(string.Format(CultureInfo.InvariantCulture, sentence.Format, values));
        }

        public override void Line(string sentence) => console.WriteLine(sentence);

        public override void List(string title, IEnumerable<string> lines)
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

        public override void Table(string title, string[] columns, IEnumerable<string[]> rows)
        {
            // The title on a line of its own: above a narrow table it would be broken.
            console.WriteLine();
            console.WriteLine(title);
            var table = new Table().Border(TableBorder.Simple);
            foreach (var column in columns)
            {
                table.AddColumn(Markup.Escape(column));
            }

            foreach (var row in rows)
            {
                table.AddRow([.. row.Select(cell => new Text(cell))]);
            }

            console.Write(table);
        }
    }

    private sealed class MarkdownWriter(System.IO.TextWriter output) : ReportWriter
    {
        // Markdown gives these a meaning; a schema's name has underscores, an error message may have anything.
        private const string Special = "\\`*_[]<>|#~$";

        public override void Summary(FormattableString sentence)
        {
            var values = sentence.GetArguments().Select(value => (object)$"**{Escape(Invariant(value))}**").ToArray();
            Paragraph(string.Format(CultureInfo.InvariantCulture, sentence.Format, values));
        }

        public override void Line(string sentence) => Paragraph(Escape(sentence));

        public override void List(string title, IEnumerable<string> lines)
        {
            var items = lines.Select(line => $"- {Escape(line)}").ToList();
            if (items.Count > 0)
            {
                Paragraph($"**{Escape(title)}**");
                Paragraph(string.Join('\n', items));
            }
        }

        public override void Table(string title, string[] columns, IEnumerable<string[]> rows)
        {
            Paragraph($"**{Escape(title)}**");
            Paragraph(string.Join('\n', [Row(columns), Line(columns.Select(_ => "---")), .. rows.Select(Row)]));
        }

        private static string Row(string[] cells) => Line(cells.Select(Escape));

        private static string Line(IEnumerable<string> cells) => $"| {string.Join(" | ", cells)} |";

        private static string Escape(string text) =>
            string.Concat(text.ReplaceLineEndings(" ")
                .Select(letter => Special.Contains(letter, StringComparison.Ordinal) ? $"\\{letter}" : $"{letter}"));

        private void Paragraph(string text) => output.Write($"{text}\n\n");
    }

    private static string Invariant(object? value) => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
}

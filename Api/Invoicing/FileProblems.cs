using System.ComponentModel.DataAnnotations;
using System.Text.Json;

namespace Api.Invoicing;

/// <summary>
/// What is wrong with a file, by line and column: the first problem of each field, and not too many of them.
/// </summary>
internal sealed class FileProblems
{
    /// <summary>
    /// As many as somebody can work through with a spreadsheet; the answer has about a megabyte then.
    /// </summary>
    public const int MostListed = 10_000;

    private readonly HashSet<(long Line, string Column)> _known = [];
    private readonly List<(long Line, string Key, string Words)> _listed = [];

    public int Count => _known.Count;

    /// <summary>As a validation problem has them, in the file's order: <c>line 7: quantity</c>.</summary>
    public Dictionary<string, string[]> Listed() =>
        _listed.OrderBy(problem => problem.Line)
            .ToDictionary(problem => problem.Key, problem => new[] { problem.Words });

    public void OfFile(string words) => Add(0, "", "file", words);

    public void OfLine(long line, string words) => Add(line, "", $"line {line}", words);

    public void Of(long line, string column, string words) => Add(line, column, $"line {line}: {column}", words);

    /// <summary>
    /// Adds what the records' own rules say of one of them. A field that couldn't be read isn't also called missing.
    /// </summary>
    public void Check(long line, object record)
    {
        var results = new List<ValidationResult>();
        if (!Validator.TryValidateObject(record, new ValidationContext(record), results, validateAllProperties: true))
        {
            foreach (var result in results)
            {
                Of(line, Column(result.MemberNames.First()), result.ErrorMessage!);
            }
        }
    }

    public static string Short(string? text) => text is { Length: > 40 } ? $"{text[..40]}…" : text ?? "";

    private static string Column(string member) => member switch
    {
        nameof(NewInvoice.Lines) => "invoice",
        nameof(NewContact.Name) => "contact",
        _ => JsonNamingPolicy.SnakeCaseLower.ConvertName(member),
    };

    private void Add(long line, string column, string key, string words)
    {
        if (_known.Add((line, column)) && _listed.Count < MostListed)
        {
            _listed.Add((line, key, words));
        }
    }
}

using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Web.Api;
using Web.Shell;

namespace Web.Customers;

/// <summary>What an operator enters to create a customer.</summary>
public sealed partial class NewCustomer : IForm
{
    private const int LongestSlug = 40;

    public string Name { get; set; } = "";

    public string Slug { get; set; } = "";

    /// <summary>The database of its schema, <c>first</c> for the first one. Null: the API chooses.</summary>
    public string? Database { get; set; }

    /// <summary>Pressing the button again after an unclear answer makes no second customer.</summary>
    internal WriteKey Key { get; } = new();

    public IEnumerable<FieldError> Check()
    {
        if (string.IsNullOrWhiteSpace(Name))
        {
            yield return new("name", "Enter a name.");
        }

        if (Slug is "")
        {
            yield return new("slug", "Enter a slug.");
        }
        else if (!IsSlug(Slug))
        {
            yield return new("slug", "1 to 40 of a to z, 0 to 9 and -, starting with a letter.");
        }
    }

    /// <summary>
    /// A slug made from a name: <c>Müller &amp; Söhne</c> becomes <c>muller-sohne</c>; empty when nothing of the name
    /// fits.
    /// </summary>
    public static string SuggestSlug(string name)
    {
        var slug = new StringBuilder();
        foreach (var letter in name.Replace("ß", "ss", StringComparison.Ordinal).Normalize(NormalizationForm.FormD)
            .ToLowerInvariant())
        {
            if (char.IsAsciiLetterLower(letter) || (char.IsAsciiDigit(letter) && slug.Length > 0))
            {
                slug.Append(letter);
            }
            else if (slug.Length > 0 && slug[^1] != '-' && letter != '\''
                && CharUnicodeInfo.GetUnicodeCategory(letter) != UnicodeCategory.NonSpacingMark)
            {
                slug.Append('-');
            }
        }

        return slug.ToString(0, Math.Min(slug.Length, LongestSlug)).TrimEnd('-');
    }

    /// <summary>
    /// Whether a customer can have this slug: 1 to 40 of a to z, 0 to 9 and -, starting with a letter.
    /// </summary>
    public static bool IsSlug(string text) => Allowed().IsMatch(text);

    /// <summary>Only the slug can clash with another customer's: the words belong beside it.</summary>
    internal static Problem Placed(Problem problem) =>
        problem is { Status: HttpStatusCode.Conflict, Errors.Count: 0 }
            ? problem with
            {
                Errors = new Dictionary<string, string[]> { ["slug"] = [problem.Detail ?? problem.Title] },
            }
            : problem;

    [GeneratedRegex(@"^[a-z][a-z0-9-]{0,39}\z")]
    private static partial Regex Allowed();
}

using System.Text.RegularExpressions;

namespace Tenancy;

/// <summary>The rule for a tenant's name in addresses, e.g. <c>acme</c>: it fits a host's name and a path.</summary>
public static partial class TenantSlug
{
    /// <summary>The longest slug, characters.</summary>
    public const int Longest = 40;

    /// <summary>The rule, in words.</summary>
    public const string Rule = "1 to 40 characters of a-z, 0-9 and -, a letter first";

    /// <summary>The rule as a regular expression.</summary>
    public const string Pattern = @"^[a-z][a-z0-9-]{0,39}\z";

    /// <summary>Whether a slug follows the <see cref="Rule"/>.</summary>
    public static bool IsValid(string? slug) => slug is not null && Allowed().IsMatch(slug);

    /// <exception cref="FormatException">It doesn't.</exception>
    internal static void Check(string slug)
    {
        if (!IsValid(slug))
        {
            throw new FormatException($"'{slug}' can't be a tenant's slug: use {Rule}.");
        }
    }

    [GeneratedRegex(Pattern)]
    private static partial Regex Allowed();
}

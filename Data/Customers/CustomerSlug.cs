using System.Text.RegularExpressions;

namespace Data.Customers;

/// <summary>The rule for a customer's name in addresses.</summary>
public static partial class CustomerSlug
{
    /// <summary>The longest slug, characters.</summary>
    public const int Longest = 40;

    /// <summary>What is asked for, in words.</summary>
    public const string Rule = "1 to 40 characters of a-z, 0-9 and -, a letter first";

    /// <summary>The same for a machine: a regular expression.</summary>
    public const string Pattern = @"^[a-z][a-z0-9-]{0,39}\z";

    /// <summary>What the names of customers' schemas begin with.</summary>
    public const string SchemaPrefix = "customer_";

    public static bool IsValid(string? slug) => slug is not null && Allowed().IsMatch(slug);

    /// <summary>
    /// The schema that a customer of that slug wants, e.g. <c>customer_acme_inc</c> for <c>acme-inc</c>.
    /// </summary>
    public static string WantedSchema(string slug) => SchemaPrefix + slug.Replace('-', '_');

    [GeneratedRegex(Pattern)]
    private static partial Regex Allowed();
}

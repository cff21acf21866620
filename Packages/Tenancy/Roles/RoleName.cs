using System.Text.RegularExpressions;

namespace Tenancy.Roles;

/// <summary>
/// The name of a group role, safe in SQL inside quotes of either kind: 1 to 63 characters of <c>a-z</c>, <c>0-9</c> and
/// <c>_</c>, a letter first; never <c>pg_*</c>, <c>public</c> or <c>none</c>, which mean something else to PostgreSQL.
/// </summary>
internal readonly partial record struct RoleName
{
    private RoleName(string value) => Value = value;

    public string Value { get; }

    public string Quoted => $"\"{Value}\"";

    /// <exception cref="FormatException"><paramref name="value"/> can't name a role.</exception>
    public static RoleName Parse(string value) => value is not (null or "public" or "none") && Allowed().IsMatch(value)
        ? new(value)
        : throw new FormatException(
            $"'{value}' can't name a role: use 1 to 63 of a-z, 0-9 and _, a letter first, no pg_ prefix, neither " +
            "'public' nor 'none'.");

    [GeneratedRegex(@"^(?!pg_)[a-z][a-z0-9_]{0,62}\z")]
    private static partial Regex Allowed();
}

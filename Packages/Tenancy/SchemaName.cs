using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace Tenancy;

/// <summary>
/// The name of one tenant's schema: the only identifier from outside that reaches SQL. 1 to 63 characters of
/// <c>a-z</c>, <c>0-9</c> and <c>_</c>, a letter first; never <c>pg_*</c> and never a schema that is shared
/// (<c>public</c>, <c>information_schema</c>, <c>tenancy</c>).
/// </summary>
/// <remarks>
/// 63 is PostgreSQL's limit (NAMEDATALEN - 1): a longer name would be cut silently and could meet another tenant's.
/// </remarks>
public readonly partial record struct SchemaName : IComparable<SchemaName>
{
    private readonly string? _value;

    private SchemaName(string value) => _value = value;

    /// <summary>The bare name, e.g. <c>customer_acme</c>.</summary>
    /// <exception cref="InvalidOperationException">This is <c>default(SchemaName)</c>, which names nothing.</exception>
    public string Value =>
        _value ?? throw new InvalidOperationException("This schema name was never set: make it with SchemaName.Parse.");

    /// <summary>The name as an SQL identifier, quotes included, e.g. <c>"customer_acme"</c>.</summary>
    public string Quoted => $"\"{Value}\"";

    /// <summary>Takes a name that is safe in SQL, refuses every other.</summary>
    /// <exception cref="FormatException"><paramref name="value"/> can't name a tenant's schema.</exception>
    public static SchemaName Parse(string value) => TryParse(value, out var name)
        ? name
        : throw new FormatException(
            $"'{value}' can't name a tenant's schema: use 1 to 63 of a-z, 0-9 and _, a letter first, no pg_ prefix, " +
            "no shared schema's name.");

    /// <summary>As <see cref="Parse"/>, without an exception.</summary>
    public static bool TryParse([NotNullWhen(true)] string? value, out SchemaName name)
    {
        var allowed = value is not null and not ("public" or "information_schema" or "tenancy")
            && Allowed().IsMatch(value);
        name = allowed ? new SchemaName(value!) : default;
        return allowed;
    }

    /// <summary>
    /// A name inside this schema, ready for hand-written SQL, e.g. <c>"customer_acme"."invoices"</c>.
    /// </summary>
    /// <param name="identifier">A table, view or sequence; quoted here, so its case counts.</param>
    public string Qualify(string identifier)
    {
        ArgumentException.ThrowIfNullOrEmpty(identifier);
        return $"{Quoted}.\"{identifier.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    /// <summary>
    /// Ordinal, as PostgreSQL sorts names under the C locale: the order in which several schemas are locked.
    /// </summary>
    public int CompareTo(SchemaName other) => string.CompareOrdinal(_value, other._value);

    /// <inheritdoc/>
    public override string ToString() => Value;

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator <(SchemaName left, SchemaName right) => left.CompareTo(right) < 0;

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator >(SchemaName left, SchemaName right) => left.CompareTo(right) > 0;

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator <=(SchemaName left, SchemaName right) => left.CompareTo(right) <= 0;

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator >=(SchemaName left, SchemaName right) => left.CompareTo(right) >= 0;

    // \z, not $: $ also matches before a final newline.
    [GeneratedRegex(@"^(?!pg_)[a-z][a-z0-9_]{0,62}\z")]
    private static partial Regex Allowed();
}

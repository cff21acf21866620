using Tenancy;

namespace Data.Customers;

/// <summary>The rule for a customer's name in addresses: the library's for any tenant.</summary>
public static class CustomerSlug
{
    /// <inheritdoc cref="TenantSlug.Longest"/>
    public const int Longest = TenantSlug.Longest;

    /// <inheritdoc cref="TenantSlug.Rule"/>
    public const string Rule = TenantSlug.Rule;

    /// <inheritdoc cref="TenantSlug.Pattern"/>
    public const string Pattern = TenantSlug.Pattern;

    /// <summary>What the names of customers' schemas begin with.</summary>
    public const string SchemaPrefix = "customer_";

    /// <inheritdoc cref="TenantSlug.IsValid"/>
    public static bool IsValid(string? slug) => TenantSlug.IsValid(slug);

    /// <summary>
    /// The schema that a customer of that slug wants, e.g. <c>customer_acme_inc</c> for <c>acme-inc</c>.
    /// </summary>
    public static string WantedSchema(string slug) => SchemaPrefix + slug.Replace('-', '_');
}

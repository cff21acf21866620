using System.Text;

namespace Tenancy;

/// <summary>
/// The name of a tenant's file in a blob store: <c>tenants/ID/NAME</c>. A method that takes one of these can't be
/// called with a name that belongs to nobody. The id stays when the tenant is renamed.
/// </summary>
public readonly record struct TenantBlobKey
{
    /// <summary>The longest whole key, bytes of UTF-8: what S3 and Azure allow both.</summary>
    public const int Longest = 1024;

    private readonly string? _value;

    private TenantBlobKey(string value) => _value = value;

    /// <summary>The whole key, e.g. <c>tenants/01a2.../invoices/7.pdf</c>.</summary>
    /// <exception cref="InvalidOperationException">This is <c>default</c>, which names nothing.</exception>
    public string Value =>
        _value ?? throw new InvalidOperationException("This key was never set: make it with TenantBlobKey.Of.");

    /// <summary>Names a file of a tenant.</summary>
    /// <param name="tenant">Whose.</param>
    /// <param name="name">
    /// Names with <c>/</c> between, e.g. <c>invoices/7.pdf</c>. None is empty, <c>.</c> or <c>..</c>; there are no
    /// backslashes and no control characters.
    /// </param>
    /// <exception cref="ArgumentException">The tenant has no id, or the name can't be one.</exception>
    public static TenantBlobKey Of(Tenant tenant, string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (name.Split('/').Any(part => part is "" or "." or "..")
            || name.EnumerateRunes().Any(rune => rune.Value is '\\' or 0xFFFD || Rune.IsControl(rune)))
        {
            throw new ArgumentException(
                "A file's name has parts with / between, none of them empty, . or .., and no backslashes or control " +
                "characters.", nameof(name));
        }

        var value = PrefixOf(tenant) + name;
        return Encoding.UTF8.GetByteCount(value) <= Longest
            ? new(value)
            : throw new ArgumentException($"The key has more than {Longest} bytes.", nameof(name));
    }

    /// <summary>What all keys of a tenant begin with: to list its files, and to delete them at its end.</summary>
    /// <param name="tenant">Whose.</param>
    /// <exception cref="ArgumentException">The tenant has no id.</exception>
    public static string PrefixOf(Tenant tenant) => $"tenants/{IdOf(tenant):n}/";

    /// <inheritdoc/>
    public override string ToString() => Value;

    internal static Guid IdOf(Tenant tenant)
    {
        ArgumentNullException.ThrowIfNull(tenant);
        return tenant.Id != Guid.Empty
            ? tenant.Id
            : throw new ArgumentException("The tenant has no id: take it from the registry.", nameof(tenant));
    }
}

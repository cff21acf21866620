namespace Tenancy;

/// <summary>The slug belongs to another tenant.</summary>
/// <param name="slug">Which.</param>
public sealed class TenantSlugTakenException(string slug)
    : Exception($"The slug '{slug}' is taken by another tenant: choose a different one.")
{
    /// <summary>Which.</summary>
    public string Slug { get; } = slug;
}

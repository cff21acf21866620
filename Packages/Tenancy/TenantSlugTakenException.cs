namespace Tenancy;

/// <summary>The slug belongs to another tenant.</summary>
/// <param name="slug">The slug.</param>
public sealed class TenantSlugTakenException(string slug)
    : Exception($"The slug '{slug}' is taken by another tenant: choose a different one.")
{
    /// <summary>The slug.</summary>
    public string Slug { get; } = slug;
}

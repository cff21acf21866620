namespace Tenancy;

/// <summary>A tenant isn't served at the moment, or doesn't exist.</summary>
public sealed class TenantUnavailableException : InvalidOperationException
{
    /// <summary>With a message that says why.</summary>
    /// <param name="slug">The tenant's slug.</param>
    /// <param name="availability">Why it isn't served; null where no tenant has that slug.</param>
    public TenantUnavailableException(string slug, Availability? availability) : base(availability switch
    {
        null => $"No tenant has the slug '{slug}'.",
        Tenancy.Availability.Upgrading => $"The tenant '{slug}' waits for this build's migrations: try again later.",
        Tenancy.Availability.Failed => $"The migration of the tenant '{slug}' failed and waits for a repair.",
        Tenancy.Availability.Provisioning => $"The tenant '{slug}' is being made: try again later.",
        Tenancy.Availability.Unreachable =>
            $"The tenant '{slug}' is in a database that this process doesn't know: add it to TenancyOptions.Databases.",
        Tenancy.Availability.Suspended => $"The tenant '{slug}' is suspended.",
        _ => $"The tenant '{slug}' is archived or being dropped.",
    }) => (Slug, Availability) = (slug, availability);

    /// <summary>The tenant's slug.</summary>
    public string Slug { get; }

    /// <summary>Why it isn't served; null where no tenant has that slug.</summary>
    public Availability? Availability { get; }
}

namespace Tenancy.AspNetCore;

/// <summary>
/// Limits of one tenant's requests, so that a noisy tenant doesn't take what the others need: from
/// <see cref="TenancyBuilderExtensions.Limit"/>. Each process counts for itself: with three of them, a tenant gets up
/// to three times as much. A request over a limit is answered with 429 and <c>Retry-After</c>.
/// </summary>
public sealed class TenantLimits
{
    /// <summary>How many requests a tenant may send in a second, on average. Default 100; 0 for any number.</summary>
    public int RequestsPerSecond { get; set; } = 100;

    /// <summary>How many it may send at once after a pause. Default 200.</summary>
    public int Burst { get; set; } = 200;

    /// <summary>
    /// How many of its requests are worked on at the same time. Default 20; 0 for any number. Less than the connection
    /// pool has, so that one tenant can't take all connections.
    /// </summary>
    public int Concurrent { get; set; } = 20;

    /// <summary>How many more wait until one of those has ended. Default 20.</summary>
    public int Waiting { get; set; } = 20;

    /// <exception cref="ArgumentException">A limit is negative, or there is no burst.</exception>
    internal void Check()
    {
        if (RequestsPerSecond < 0 || Concurrent < 0 || Waiting < 0 || Burst < 1)
        {
            throw new ArgumentException("Limits of a tenant's requests are 0 or more, and the burst is at least 1.");
        }
    }
}

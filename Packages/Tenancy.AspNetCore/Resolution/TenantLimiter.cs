using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;

namespace Tenancy.AspNetCore.Resolution;

/// <summary>Counts each tenant's requests. What nobody used for a while is forgotten.</summary>
internal sealed class TenantLimiter : IAsyncDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// All tenants together, where nothing is limited: the limiter keeps an object for each partition, and one that
    /// limits nothing is never idle, so it would stay.
    /// </summary>
    private static readonly Guid Everybody = Guid.Empty;

    private readonly PartitionedRateLimiter<Guid> _limiter;

    public TenantLimiter(TenantLimits limits)
    {
        limits.Check();
        _limiter = PartitionedRateLimiter.CreateChained(Rate(limits), Concurrency(limits));
    }

    /// <summary>Takes a place for a request, or says when to ask again.</summary>
    /// <returns>To be disposed of when the request has ended; null where it may not begin.</returns>
    public async ValueTask<(RateLimitLease? Lease, TimeSpan RetryAfter)> EnterAsync(HttpContext context, Tenant tenant)
    {
        var lease = await _limiter.AcquireAsync(tenant.Id, cancellationToken: context.RequestAborted);
        if (lease.IsAcquired)
        {
            return (lease, default);
        }

        var wait = lease.TryGetMetadata(MetadataName.RetryAfter, out var told) && told > TimeSpan.FromSeconds(1)
            ? told
            : TimeSpan.FromSeconds(1);
        lease.Dispose();
        return (null, wait);
    }

    public ValueTask DisposeAsync() => _limiter.DisposeAsync();

    private static PartitionedRateLimiter<Guid> Rate(TenantLimits limits) =>
        PartitionedRateLimiter.Create<Guid, Guid>(tenant => limits.RequestsPerSecond == 0
            ? RateLimitPartition.GetNoLimiter(Everybody)
            : RateLimitPartition.GetTokenBucketLimiter(tenant, _ => new()
            {
                TokenLimit = limits.Burst, AutoReplenishment = true,
                // Slow ones get their tokens one by one.
                ReplenishmentPeriod = limits.RequestsPerSecond >= 10
                    ? Period
                    : TimeSpan.FromSeconds(1d / limits.RequestsPerSecond),
                TokensPerPeriod = Math.Max(1, limits.RequestsPerSecond / 10),
            }));

    private static PartitionedRateLimiter<Guid> Concurrency(TenantLimits limits) =>
        PartitionedRateLimiter.Create<Guid, Guid>(tenant => limits.Concurrent == 0
            ? RateLimitPartition.GetNoLimiter(Everybody)
            : RateLimitPartition.GetConcurrencyLimiter(tenant, _ => new()
            {
                PermitLimit = limits.Concurrent, QueueLimit = limits.Waiting,
                QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
            }));
}

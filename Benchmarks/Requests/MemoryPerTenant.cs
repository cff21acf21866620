using Benchmarks.Measuring;
using Data.Invoicing;
using Tenancy;

namespace Benchmarks.Requests;

/// <summary>
/// What a further tenant costs in managed memory: the heap after serving all tenants, minus the heap after serving a few as often. The
/// <see cref="Tenant"/> itself is counted, because whoever serves it holds it.
/// </summary>
internal static class MemoryPerTenant
{
    private const int Few = 10;

    public static async Task<double> KilobytesAsync(Variant variant, CancellationToken ct)
    {
        var count = variant.Tenants.Count;
        var served = new Tenant[count];

        // Both times the same requests in the same number, so that what they leave behind once is in both.
        await ServeAsync(Math.Min(Few, count / 2));
        await ServeAsync(Math.Min(Few, count / 2));
        var few = GC.GetTotalMemory(forceFullCollection: true);
        await ServeAsync(count);
        var all = GC.GetTotalMemory(forceFullCollection: true);
        GC.KeepAlive(served);
        GC.KeepAlive(variant);
        return (all - few) / 1024.0 / (count - Math.Min(Few, count / 2));

        async Task ServeAsync(int tenants)
        {
            var walk = new Walk(tenants, start: 0);
            for (var request = 0; request < 2 * count; request++)
            {
                var number = walk.Next();
                var tenant = served[number] ??= Fleet.Tenant(number);
                _ = await variant.FindAsync(tenant, Fleet.ContactId(1), ct);
                await variant.InsertAsync(tenant, new Contact { Id = Guid.CreateVersion7(), Name = "Ada Moreau", CreatedAt = DateTimeOffset.UtcNow, Email = "ada@example.com" }, ct);
            }
        }
    }
}

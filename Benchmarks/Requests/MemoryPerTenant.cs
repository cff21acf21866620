using Benchmarks.Measuring;
using Tenancy;

namespace Benchmarks.Requests;

/// <summary>
/// What a further tenant costs in managed memory: the heap after serving all tenants, minus the heap after serving a
/// few as often. The <see cref="Tenant"/> itself is counted, because whoever serves it holds it.
/// </summary>
internal static class MemoryPerTenant
{
    private const int Few = 10;

    public static async Task<double> KilobytesAsync(Variant variant, CancellationToken ct)
    {
        var count = variant.Tenants.Count;
        var served = new Tenant[count];

        var few = Math.Min(Few, count / 2);
        // Until what all requests leave behind once, whoever they serve, is there.
        for (var lap = 0; lap < 2; lap++)
        {
            await ServeAsync(few);
        }

        var before = Heap();
        await ServeAsync(count);
        var after = Heap();
        GC.KeepAlive(served);
        GC.KeepAlive(variant);
        return (after - before) / 1024.0 / (count - few);

        async Task ServeAsync(int tenants)
        {
            var walk = new Walk(tenants, start: 0);
            for (var request = 0; request < count; request++)
            {
                var number = walk.Next();
                var tenant = served[number] ??= Fleet.Tenant(number);
                _ = await variant.FindAsync(tenant, Fleet.ContactId(1), ct);
                await variant.InsertAsync(tenant, Fleet.NewContact(), ct);
            }
        }
    }

    // Not GC.GetTotalMemory(true), which is content when two collections differ by less than 5 %: more than what is
    // looked for.
    private static long Heap()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        GC.Collect();
        return GC.GetTotalMemory(forceFullCollection: false);
    }
}

using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Tenancy;
using Tenancy.AspNetCore;
using Xunit;

namespace Tests.Integration.Adoption;

/// <summary>A noisy tenant gets 429, and the others don't notice.</summary>
public sealed class TenantLimitsTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_tenant_over_its_rate_is_told_when_to_ask_again_and_others_go_on()
    {
        // So slow that nothing comes back while the test runs.
        await using var site = await StartAsync(limits =>
            (limits.RequestsPerSecond, limits.Burst, limits.Concurrent) = (1, 3, 0), _ => Task.CompletedTask);
        using var acme = site.Client(("X-Shop", "acme"));

        var codes = new List<HttpStatusCode>();
        for (var at = 0; at < 40; at++)
        {
            using var answer = await acme.GetAsync("/who", Ct);
            codes.Add(answer.StatusCode);
            if (answer.StatusCode == HttpStatusCode.TooManyRequests)
            {
                Assert.InRange(answer.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 3);
                Assert.Equal("urn:tenant:over-limit",
                    (string?)(await answer.Content.ReadFromJsonAsync<JsonObject>(Ct))!["type"]);
            }
        }

        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.OK], codes.Take(3));
        Assert.Contains(HttpStatusCode.TooManyRequests, codes);
        Assert.Equal((200, "globex"), await site.GetAsync("/who", ("X-Shop", "globex")));
    }

    [Fact]
    public async Task So_many_requests_are_worked_on_so_many_wait_and_the_others_are_refused()
    {
        var entered = 0;
        var go = new TaskCompletionSource();
        await using var site = await StartAsync(
            limits => (limits.RequestsPerSecond, limits.Concurrent, limits.Waiting) = (0, 2, 1), _ =>
            {
                Interlocked.Increment(ref entered);
                return go.Task;
            });

        var requests = Enumerable.Range(0, 6).Select(_ => site.GetAsync("/who", ("X-Shop", "acme"))).ToList();
        await Eventually.HoldsAsync(() => Task.FromResult(
            Volatile.Read(ref entered) == 2 && requests.Count(request => request.IsCompleted) == 3));
        // Another tenant has its own places.
        var other = site.GetAsync("/who", ("X-Shop", "globex"));
        await Eventually.HoldsAsync(() => Task.FromResult(Volatile.Read(ref entered) == 3));
        go.SetResult();

        Assert.Equal(3, (await Task.WhenAll(requests)).Count(answer => answer.Status == 200));
        Assert.Equal(200, (await other).Status);
        // Places come back.
        Assert.Equal((200, "acme"), await site.GetAsync("/who", ("X-Shop", "acme")));
    }

    [Fact]
    public async Task A_limit_that_cant_be_one_stops_the_start()
    {
        await Assert.ThrowsAsync<ArgumentException>(() =>
            StartAsync(limits => limits.Burst = 0, _ => Task.CompletedTask));
        await Assert.ThrowsAsync<ArgumentException>(
            () => StartAsync(limits => limits.Concurrent = -1, _ => Task.CompletedTask));
    }

    private Task<ShopSite> StartAsync(Action<TenantLimits> limits, Func<HttpContext, Task> work) =>
        ShopSite.StartAsync(app,
        tenancy => tenancy.AddContext<OrderingContext>(ordering => ordering.ReplaceSchema(OrderingContext.Schema))
            .Resolve(request => request.Header("X-Shop")).Limit(limits),
        site => site.MapGet("/who", async (CurrentTenant tenant, HttpContext context) =>
        {
            await work(context);
            return tenant.Value.Slug;
        }).RequireTenant());
}

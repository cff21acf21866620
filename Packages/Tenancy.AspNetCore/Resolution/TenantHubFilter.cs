using Microsoft.AspNetCore.Components.Server.Circuits;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;

namespace Tenancy.AspNetCore.Resolution;

/// <summary>
/// Each call of a hub has a scope of its own, apart from the request that connected: it gets that request's tenant. One
/// that isn't served any more is refused.
/// </summary>
internal sealed class TenantHubFilter(TenantDirectory directory) : IHubFilter
{
    public async Task OnConnectedAsync(HubLifetimeContext context, Func<HubLifetimeContext, Task> next)
    {
        // By long polling a connection outlives its first request; of that, a copy with its items is kept.
        if (context.Context.GetHttpContext()?.Items[typeof(TenantHubFilter)] is Tenant tenant)
        {
            context.Context.Items[typeof(TenantHubFilter)] = tenant;
            Choose(context.ServiceProvider, tenant);
        }

        await next(context);
    }

    public async ValueTask<object?> InvokeMethodAsync(
        HubInvocationContext invocationContext, Func<HubInvocationContext, ValueTask<object?>> next)
    {
        if (invocationContext.Context.Items.TryGetValue(typeof(TenantHubFilter), out var kept) && kept is Tenant tenant)
        {
            if (await directory.FindAsync(tenant.Slug, invocationContext.Context.ConnectionAborted) is not { } listing
                || listing.Tenant != tenant || directory.AvailabilityOf(listing) != Availability.Served)
            {
                if (IsCircuit(invocationContext.Hub))
                {
                    // A page waits for no answer, so it wouldn't learn of an error. That its connection is gone it
                    // shows.
                    invocationContext.Context.Abort();
                }

                throw new HubException($"'{tenant.Slug}' isn't served now.");
            }

            Choose(invocationContext.ServiceProvider, tenant);
            TenantCircuit.Call(tenant);
            using var scope = invocationContext.Context.GetHttpContext()?.Name(tenant.Slug);
            return await next(invocationContext);
        }

        return await next(invocationContext);
    }

    public Task OnDisconnectedAsync(
        HubLifetimeContext context, Exception? exception, Func<HubLifetimeContext, Exception?, Task> next)
    {
        if (context.Context.Items.TryGetValue(typeof(TenantHubFilter), out var kept) && kept is Tenant tenant)
        {
            Choose(context.ServiceProvider, tenant);
        }

        return next(context, exception);
    }

    /// <summary>Whether a hub is Blazor's own.</summary>
    private static bool IsCircuit(Hub hub) => hub.GetType().Assembly == typeof(CircuitHandler).Assembly;

    private static void Choose(IServiceProvider scope, Tenant tenant) =>
        scope.GetRequiredService<CurrentTenant>().Choose(tenant);
}

using Microsoft.AspNetCore.Components.Server.Circuits;

namespace Tenancy.AspNetCore.Resolution;

/// <summary>
/// A Blazor circuit has a scope of its own, which lives as long as the page: it gets the tenant of the connection that
/// starts it. Blazor gives a circuit's scope no sight of that connection, so <see cref="TenantHubFilter"/> leaves the
/// tenant in the flow of the one call, and this takes it from there before anything is rendered.
/// </summary>
internal sealed class TenantCircuit(CurrentTenant current) : CircuitHandler
{
    /// <summary>Of a hub's call, and of nothing that outlives it.</summary>
    private static readonly AsyncLocal<Tenant?> s_calling = new();

    /// <summary>Before the application's handlers.</summary>
    public override int Order => int.MinValue;

    /// <summary>Lets the circuit that a call starts be this tenant's.</summary>
    /// <param name="tenant">The connection's.</param>
    public static void Call(Tenant tenant) => s_calling.Value = tenant;

    public override Task OnCircuitOpenedAsync(Circuit circuit, CancellationToken cancellationToken)
    {
        if (s_calling.Value is { } tenant && !current.IsChosen)
        {
            current.Choose(tenant);
        }

        return Task.CompletedTask;
    }
}

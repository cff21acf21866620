using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy.Databases;
using Tenancy.Sql;

namespace Tenancy.Leasing;

/// <summary>
/// The tenant of one lease of one context. It lives among EF's own scoped services, whose state EF resets when a pooled
/// context goes back: so forgetting needs nobody to remember it.
/// </summary>
/// <param name="options">The context's own.</param>
internal sealed class TenantBinding(TenancyExtension? options) : IResettableService, IDisposable, IAsyncDisposable
{
    private AsyncServiceScope? _owned;
    private Tenant? _tenant;
    private CurrentTenant? _scope;
    private string? _switch;
    private bool _disposed;

    /// <exception cref="NoTenantException">The context serves nobody.</exception>
    public Tenant Value => Find() ?? throw new NoTenantException();

    public TenancyMetrics? Metrics => options?.Metrics;

    public bool IsGuarded => options is not { Unguarded: true };

    /// <summary>Set instead of a tenant while <see cref="AcrossTenants{TContext}"/> reads for several.</summary>
    public TenantChunk? Chunk { get; private set; }

    public static TenantBinding Of(DbContext context) => context.GetService<TenantBinding>();

    /// <summary>
    /// A context that has served or tracks anything can't change its tenant: it is bound once per lease.
    /// </summary>
    public void Bind(Tenant tenant)
    {
        if (Chunk is not null || Find() is { } other && other != tenant)
        {
            throw new InvalidOperationException(
                $"This context serves '{Find()?.Slug ?? "several tenants"}' until it is disposed of and can't turn " +
                $"to '{tenant.Slug}': lease another one.");
        }

        if (_tenant is null)
        {
            Metrics?.Lease();
        }

        _tenant = tenant;
    }

    /// <summary>
    /// Lets a scope's context serve whom the scope chooses, now or later: health checks, Identity's validators and hubs
    /// resolve a context before anybody is known. It isn't told of the choice but asks for it, so that a context that
    /// has gone back to the pool meanwhile isn't bound.
    /// </summary>
    public void Follow(CurrentTenant scope)
    {
        _scope = scope;
        _ = Find();
    }

    /// <summary>Lets the context's commands run as the login, in a transaction that isn't the context's own.</summary>
    public void RunAsLogin() => (_switch, RunsAsOwner) = ("", true);

    /// <summary>Whether the context works in a transaction of the owner's.</summary>
    public bool RunsAsOwner { get; private set; }

    /// <summary>Lets a scope of services end with the context.</summary>
    public void Own(AsyncServiceScope scope) => _owned = scope;

    public void Bind(TenantChunk chunk) => Chunk = Find() is null && Chunk is null
        ? chunk
        : throw new InvalidOperationException("This context serves already: lease another one.");

    public void RefuseNobody()
    {
        if (Chunk is null && Find() is null)
        {
            Metrics?.RefuseNobody();
            throw new NoTenantException();
        }
    }

    private Tenant? Find()
    {
        if (_scope is not { IsChosen: true } scope)
        {
            return _tenant;
        }

        if (_tenant is null)
        {
            _tenant = scope.Value;
            Metrics?.Lease();
        }
        else if (_tenant != scope.Value)
        {
            throw new InvalidOperationException(
                $"This context was bound to '{_tenant.Slug}', and then its scope chose '{scope.Value.Slug}': a scope " +
                "serves one tenant.");
        }

        // Chosen is chosen: nothing is left to ask.
        _scope = null;
        return _tenant;
    }

    /// <summary>The command as the server gets it.</summary>
    /// <exception cref="NoTenantException">The context serves nobody.</exception>
    public string TextOf(SqlTemplate template) => Chunk is { } chunk ? chunk.TextOf(template) : template.Rewrite(Value.Schema);

    /// <summary>The database of whom the context serves; null for the first one, and for nobody.</summary>
    public string? Database => Chunk is { } chunk ? chunk.Database : Find()?.Database;

    /// <summary>The data source of <see cref="Database"/>; null for the first one, which the options name.</summary>
    /// <exception cref="TenantUnavailableException">Nobody has configured that database.</exception>
    public NpgsqlDataSource? Source => Elsewhere()?.Serving;

    private TenantDatabase? Elsewhere() => Database is null ? null : options?.Databases is { } databases
        ? databases.Of(Chunk is { } chunk ? chunk.Tenants[0] : Value)
        : throw new InvalidOperationException(
            "This context was made by hand and knows no other database than its own, but its tenant is in the " +
            $"database '{Database}'. Take a context from TenantContextFactory, or give it a connection by " +
            "SetDbConnection.");

    /// <summary>
    /// The SQL that switches to the tenant's role. Empty where the context's commands run as the login.
    /// </summary>
    /// <exception cref="NoTenantException">The context serves nobody.</exception>
    public string Switch => _switch ??= Roles() switch
    {
        null => "",
        var roles when Chunk is not null => roles.SwitchToAll(),
        var roles => roles.Switch(Value.Schema),
    };

    // A role's name has the database's name in it.
    private Roles.TenantRoleSql? Roles() =>
        options?.Roles is { } roles ? Elsewhere() is { } elsewhere ? elsewhere.Options.RoleSql : roles : null;

    /// <summary>Of a context that goes back to the pool.</summary>
    public void ResetState()
    {
        if (_tenant is not null)
        {
            Metrics?.Return();
        }

        _tenant = null;
        _scope = null;
        _switch = null;
        RunsAsOwner = false;
        Chunk = null;
    }

    public Task ResetStateAsync(CancellationToken cancellationToken = default)
    {
        ResetState();
        return Task.CompletedTask;
    }

    /// <summary>Of a context that isn't pooled, or that the pool has no room for.</summary>
    public void Dispose()
    {
        End();
        _owned?.Dispose();
    }

    /// <inheritdoc cref="Dispose"/>
    public ValueTask DisposeAsync()
    {
        End();
        return _owned?.DisposeAsync() ?? ValueTask.CompletedTask;
    }

    private void End()
    {
        if (_tenant is not null && !_disposed)
        {
            Metrics?.Return();
        }

        _disposed = true;
    }
}

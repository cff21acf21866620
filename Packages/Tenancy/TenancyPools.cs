using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;

namespace Tenancy;

/// <summary>The library's connection pools together: the owner's, the tenants' and those of EF's contexts.</summary>
public sealed class TenancyPools
{
    private readonly NpgsqlDataSource[] _pools;
    private readonly GuardedDataSource _guarded;

    internal TenancyPools(IServiceProvider services)
    {
        _guarded = services.GetRequiredService<GuardedDataSource>();
        _pools =
        [
            services.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.OwnerKey),
            services.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.TenantsKey),
            _guarded.Owner,
            _guarded.Tenants,
        ];
    }

    /// <summary>
    /// Lets a context of the shared schema use the owner's login, over connections that aren't reset when they go back:
    /// a reset can't be cancelled, so over a server that says nothing its request would wait for the command's timeout.
    /// Leave nothing in their sessions.
    /// </summary>
    /// <param name="options">The context's.</param>
    /// <param name="npgsql">As with <c>UseNpgsql</c>.</param>
    public DbContextOptionsBuilder UseOwner(
        DbContextOptionsBuilder options, Action<NpgsqlDbContextOptionsBuilder>? npgsql = null) =>
            options.UseNpgsql(_guarded.Owner, npgsql);

    /// <summary>
    /// Opens a connection for the shared schema's contexts and one for the tenants', and keeps both in their pools, so
    /// that the first request doesn't wait for them.
    /// </summary>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="NpgsqlException">The server isn't there, or refuses a login.</exception>
    public async Task ConnectAsync(CancellationToken ct = default)
    {
        foreach (var pool in new[] { _guarded.Owner, _guarded.Tenants }.Distinct())
        {
            await using var connection = await pool.OpenConnectionAsync(ct);
        }
    }

    /// <summary>
    /// Closes the idle connections, and the others when they come back: after an outage they lead to a server that is
    /// gone.
    /// </summary>
    public void Clear()
    {
        foreach (var pool in _pools.Distinct())
        {
            pool.Clear();
        }
    }
}

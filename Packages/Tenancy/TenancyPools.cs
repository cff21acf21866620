using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;
using Tenancy.Databases;

namespace Tenancy;

/// <summary>The library's connection pools together: the owner's, the tenants' and those of EF's contexts.</summary>
public sealed class TenancyPools
{
    private readonly NpgsqlDataSource[] _pools;
    private readonly GuardedDataSource _guarded;
    private readonly IServiceProvider _services;

    internal TenancyPools(IServiceProvider services)
    {
        _services = services;
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
    /// The data source with the login that serves tenants, of the tenant's database: for commands outside EF
    /// (<see cref="TenantCommands.CreateTenantCommand(NpgsqlConnection, Tenant, string)"/>). The
    /// service with the key <see cref="TenancyOptions.TenantsKey"/> is that of the first database.
    /// </summary>
    /// <param name="tenant">Whose.</param>
    /// <exception cref="TenantUnavailableException">Nobody has configured its database.</exception>
    public NpgsqlDataSource Of(Tenant tenant)
    {
        ArgumentNullException.ThrowIfNull(tenant);
        return tenant.Database is null
            ? _pools[1]
            : _services.GetRequiredService<TenantDatabases>().Of(tenant)
                .GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.TenantsKey);
    }

    /// <summary>
    /// Asks the databases besides the first one for an answer, over connections of their own, and waits two seconds at
    /// most for each.
    /// </summary>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>Those that don't answer, by name, and why. Their tenants aren't served, the others are.</returns>
    public async Task<IReadOnlyDictionary<string, string>> FindAbsentAsync(CancellationToken ct = default)
    {
        var answers = await Task.WhenAll(_services.GetRequiredService<TenantDatabases>().Others.Select(async database =>
        {
            try
            {
                await database.GetRequiredService<DatabaseProbe>().AskAsync(async (over, token) =>
                {
                    await using var ask = over.Tenants.CreateCommand("SELECT");
                    return await ask.ExecuteNonQueryAsync(token);
                }, ct);
                return (database.Name, Error: (string?)null);
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException)
            {
                return (database.Name, Error: (string?)e.Message);
            }
        }));
        return answers.Where(answer => answer.Error is not null).ToDictionary(
            answer => answer.Name, answer => answer.Error!, StringComparer.Ordinal);
    }

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

        foreach (var database in _services.GetRequiredService<TenancyOptions>().Database is null
            ? _services.GetRequiredService<TenantDatabases>().Others
            : [])
        {
            database.GetRequiredService<TenancyPools>().Clear();
        }
    }
}

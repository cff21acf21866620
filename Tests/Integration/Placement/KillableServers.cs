using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Tenancy.Databases;
using Tests.Integration.Lifecycle;

namespace Tests.Integration.Placement;

/// <summary>
/// The two databases of a <see cref="Warehouse"/>, which a test takes away from the application at once, as if its
/// process was killed.
/// </summary>
internal sealed class KillableServers : IAsyncDisposable
{
    private readonly Warehouse _warehouse;
    private readonly string[] _databases;
    private readonly NpgsqlDataSource _first;
    private readonly NpgsqlDataSource _second;
    private readonly NpgsqlDataSource _neither;

    public KillableServers(Warehouse warehouse, string second)
    {
        _warehouse = warehouse;
        var first = warehouse.Services.GetRequiredService<TenancyOptions>().ConnectionString;
        _databases = [.. new[] { first, second }.Select(one => new NpgsqlConnectionStringBuilder(one).Database!)];
        _first = NpgsqlDataSource.Create($"{first};Pooling=false");
        _second = NpgsqlDataSource.Create($"{second};Pooling=false");
        _neither = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(first) { Database = "postgres", Pooling = false });
    }

    public TenantDatabaseMove Move => _warehouse.Services.GetRequiredService<TenantDatabaseMove>();

    private TenantDatabase Two => _warehouse.Services.GetRequiredService<TenantDatabases>().Named("two");

    /// <summary>From now on nothing of the application reaches a database.</summary>
    public void Kill()
    {
        foreach (var database in _databases)
        {
            using var close = _neither.CreateCommand(
                $"ALTER DATABASE \"{database}\" WITH ALLOW_CONNECTIONS false");
            close.ExecuteNonQuery();
            using var end = _neither.CreateCommand(
                $"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{database}'");
            end.ExecuteNonQuery();
        }
    }

    /// <summary>Another process may go on.</summary>
    public async Task ReviveAsync()
    {
        foreach (var database in _databases)
        {
            await TwoDatabases.ExecuteAsync(_neither, $"ALTER DATABASE \"{database}\" WITH ALLOW_CONNECTIONS true");
        }

        _warehouse.Admin.Clear();
        _warehouse.Services.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.OwnerKey).Clear();
        Two.Owner.Clear();
    }

    /// <summary>A minute later.</summary>
    public async Task AgeAsync()
    {
        foreach (var database in new[] { _first, _second })
        {
            await TwoDatabases.ExecuteAsync(database,
                "UPDATE tenancy.schemas SET drop_after = clock_timestamp() WHERE drop_after IS NOT NULL");
        }
    }

    public async Task<IReadOnlyList<long>> RowsAsync(Tenant tenant)
    {
        var counts = new List<long>();
        foreach (var table in new[] { "kinds", "items", "parts", "events" })
        {
            counts.Add((long)(await TwoDatabases.ScalarAsync(tenant.Database is null ? _first : _second,
                $"SELECT count(*) FROM {tenant.Schema}.{table}"))!);
        }

        return counts;
    }

    /// <summary>All schemas of tenants, under whichever name, in both.</summary>
    public async Task<IReadOnlyList<string>> SchemasAsync()
    {
        var schemas = new List<string>();
        foreach (var database in new[] { _first, _second })
        {
            schemas.AddRange((string[])(await TwoDatabases.ScalarAsync(database,
                "SELECT coalesce(array_agg(nspname::text ORDER BY nspname), '{}') FROM pg_namespace " +
                "WHERE nspname LIKE 'tenant\\_%' OR nspname LIKE 'moving\\_%'"))!);
        }

        return schemas;
    }

    public async ValueTask DisposeAsync()
    {
        await ReviveAsync();
        await _first.DisposeAsync();
        await _second.DisposeAsync();
        await _neither.DisposeAsync();
    }
}

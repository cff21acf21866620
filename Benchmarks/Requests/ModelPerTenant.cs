using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata.Conventions;
using Tenancy;

namespace Benchmarks.Requests;

/// <summary>
/// An EF model for each tenant, with the real schema in it, at its best: built beforehand and handed in, a pool of
/// contexts for each, and a cache without a limit, because EF's own holds the queries of some 500 models and then
/// compiles them again and again.
/// </summary>
internal sealed class ModelPerTenant : EfVariant
{
    private readonly ConcurrentDictionary<SchemaName, PooledDbContextFactory<TenantModelContext>> _pools = new();
    private readonly MemoryCache _cache = new(new MemoryCacheOptions());
    private readonly ServiceProvider _services = new ServiceCollection().BuildServiceProvider();

    public ModelPerTenant(string name, string database, IReadOnlyList<Tenant> tenants) : base(name, tenants) =>
        Database = TenantDataSource.CreateGuarded(new() { ConnectionString = ConnectionString(database, name) }).Tenants;

    public override NpgsqlDataSource Database { get; }

    protected override IServiceScopeFactory Scopes => _services.GetRequiredService<IServiceScopeFactory>();

    // Made at the first request, which is one that isn't measured.
    protected override ContactsContext Context(IServiceProvider request, Tenant tenant) =>
        _pools.GetOrAdd(tenant.Schema, Pool).CreateDbContext();

    private PooledDbContextFactory<TenantModelContext> Pool(SchemaName schema) => new(
        new DbContextOptionsBuilder<TenantModelContext>().UseNpgsql(Database).UseModel(Model(schema))
            .UseMemoryCache(_cache).Options, PoolSize);

    private static IModel Model(SchemaName schema)
    {
        var builder = NpgsqlConventionSetBuilder.CreateModelBuilder();
        ContactsContext.Map(builder, schema.Value);
        return builder.FinalizeModel();
    }

    public override async ValueTask DisposeAsync()
    {
        _cache.Dispose();
        await _services.DisposeAsync();
        await Database.DisposeAsync();
    }

    private sealed class TenantModelContext(DbContextOptions<TenantModelContext> options) : ContactsContext(options);
}

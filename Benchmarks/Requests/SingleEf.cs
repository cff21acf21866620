using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;

namespace Benchmarks.Requests;

/// <summary>
/// An application of one tenant: pooled contexts, tables in <c>public</c>, and of tenancy nothing at all. With the
/// settings of its own data source, which are either Npgsql's or the library's.
/// </summary>
internal sealed class SingleEf : EfVariant
{
    private readonly ServiceProvider _services;

    private SingleEf(string name, NpgsqlDataSource database, Tenant tenant) : base(name, [tenant])
    {
        Database = database;
        _services = new ServiceCollection()
            .AddDbContextPool<SingleContext>(options => options.UseNpgsql(database))
            .BuildServiceProvider();
    }

    public override NpgsqlDataSource Database { get; }

    public static SingleEf Stock(string name, string database, Tenant tenant) =>
        new(name, NpgsqlDataSource.Create(ConnectionString(database, name)), tenant);

    public static SingleEf SameSettings(string name, string database, Tenant tenant) =>
        new(name, TenantDataSource.Create(new() { ConnectionString = ConnectionString(database, name) }), tenant);

    protected override IServiceScopeFactory Scopes => _services.GetRequiredService<IServiceScopeFactory>();

    protected override ContactsContext Context(IServiceProvider request, Tenant tenant) =>
        request.GetRequiredService<SingleContext>();

    public override async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await Database.DisposeAsync();
    }

    private sealed class SingleContext(DbContextOptions<SingleContext> options) : ContactsContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder) => Map(modelBuilder, schema: null);
    }
}

using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;

namespace Benchmarks.Requests;

/// <summary>The library, as an application registers it: one model, stamped per command.</summary>
internal sealed class Ours : EfVariant
{
    private readonly ServiceProvider _services;

    public Ours(string name, string database, IReadOnlyList<Tenant> tenants) : base(name, tenants)
    {
        _services = new ServiceCollection()
            .AddTenancy<OursContext>(options => options.ConnectionString = ConnectionString(database, name))
            .BuildServiceProvider();
        Database = _services.GetRequiredService<NpgsqlDataSource>();
    }

    public override NpgsqlDataSource Database { get; }

    protected override IServiceScopeFactory Scopes => _services.GetRequiredService<IServiceScopeFactory>();

    protected override ContactsContext Context(IServiceProvider request, Tenant tenant)
    {
        request.GetRequiredService<CurrentTenant>().Choose(tenant);
        return request.GetRequiredService<OursContext>();
    }

    public override ValueTask DisposeAsync() => _services.DisposeAsync();

    private sealed class OursContext(DbContextOptions<OursContext> options) : ContactsContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder) => Map(modelBuilder, TenantPlaceholder.Schema);
    }
}

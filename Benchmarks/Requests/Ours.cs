using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Tenancy;

namespace Benchmarks.Requests;

/// <summary>The library, as an application registers it: one model, rewritten per command.</summary>
internal sealed class Ours : EfVariant
{
    private readonly IHost _host;

    private static readonly Func<OursContext, Guid, CancellationToken, Task<Contact?>> Compiled = EF.CompileAsyncQuery(
        (OursContext db, Guid id,
            CancellationToken ct) => db.Contacts.AsNoTracking().FirstOrDefault(contact => contact.Id == id));

    private readonly bool _compiled;

    /// <param name="name">The variant's.</param>
    /// <param name="database">The database's connection string.</param>
    /// <param name="tenants">Whom it serves.</param>
    /// <param name="compiled">Whether SELECT is one of EF's compiled queries, as an application writes its hot paths
    /// that might else be SQL by hand.</param>
    /// <param name="configure">Of the library's options.</param>
    public Ours(
        string name, string database, IReadOnlyList<Tenant> tenants, bool compiled = false,
        Action<TenancyOptions>? configure = null) : base(name, tenants)
    {
        _compiled = compiled;
        var application = Host.CreateEmptyApplicationBuilder(settings: null);
        application.Configuration.AddInMemoryCollection(
            [new("ConnectionStrings:ours", ConnectionString(database, name))]);
        application.AddTenancy("ours", tenancy => tenancy.UseBuiltInRegistry().AddContext<OursContext>()
            .Configure(configure ?? (_ => { })));
        // Not started: what an application's requests meet are its services.
        _host = application.Build();
        Database = _host.Services.GetRequiredService<GuardedDataSource>().Tenants;
    }

    public override NpgsqlDataSource Database { get; }

    public TenancyOptions Options => _host.Services.GetRequiredService<TenancyOptions>();

    public override string? RoleOfAll => _host.Services.GetRequiredService<TenancyOptions>().TenantRoles?.All;

    public override async Task<Contact?> FindAsync(Tenant tenant, Guid id, CancellationToken ct)
    {
        if (!_compiled)
        {
            return await base.FindAsync(tenant, id, ct);
        }

        await using var request = Scopes.CreateAsyncScope();
        return await Compiled((OursContext)Context(request.ServiceProvider, tenant), id, ct);
    }

    protected override IServiceScopeFactory Scopes => _host.Services.GetRequiredService<IServiceScopeFactory>();

    protected override ContactsContext Context(IServiceProvider request, Tenant tenant)
    {
        request.GetRequiredService<CurrentTenant>().Choose(tenant);
        return request.GetRequiredService<OursContext>();
    }

    public override ValueTask DisposeAsync()
    {
        _host.Dispose();
        return ValueTask.CompletedTask;
    }

    private sealed class OursContext(DbContextOptions<OursContext> options) : ContactsContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder) =>
            Map(modelBuilder, TenantPlaceholder.Schema);
    }
}

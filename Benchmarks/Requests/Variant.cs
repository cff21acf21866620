using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;

namespace Benchmarks.Requests;

/// <summary>One way to serve requests of tenants. Each has a data source, hence backends, of its own.</summary>
internal abstract class Variant(string name, IReadOnlyList<Tenant> tenants) : IAsyncDisposable
{
    public const int PoolSize = 8;

    public string Name { get; } = name;

    public IReadOnlyList<Tenant> Tenants { get; } = tenants;

    public abstract NpgsqlDataSource Database { get; }

    /// <summary>As which role the data source's login reaches all schemas; null where it does so by itself.</summary>
    public virtual string? RoleOfAll => null;

    /// <summary>Reads one contact of that tenant into an entity.</summary>
    public abstract Task<Contact?> FindAsync(Tenant tenant, Guid id, CancellationToken ct);

    public abstract Task InsertAsync(Tenant tenant, Contact contact, CancellationToken ct);

    public abstract ValueTask DisposeAsync();

    /// <summary>
    /// The variant's name is in it, for the server's accounting, and a pool that is full from the first request and
    /// stays so: a backend that is replaced would have to meet all schemas again.
    /// </summary>
    public static string ConnectionString(string database, string name) => new NpgsqlConnectionStringBuilder(database)
    {
        ApplicationName = name,
        MinPoolSize = PoolSize,
        MaxPoolSize = PoolSize,
        ConnectionLifetime = 0,
    }.ConnectionString;
}

/// <summary>
/// What all variants with EF have in common: a scope for each request, and in it one context, as in a web application.
/// </summary>
internal abstract class EfVariant(string name, IReadOnlyList<Tenant> tenants) : Variant(name, tenants)
{
    protected abstract IServiceScopeFactory Scopes { get; }

    public override async Task<Contact?> FindAsync(Tenant tenant, Guid id, CancellationToken ct)
    {
        await using var request = Scopes.CreateAsyncScope();
        await using var db = Context(request.ServiceProvider, tenant);
        return await db.Contacts.AsNoTracking().FirstOrDefaultAsync(contact => contact.Id == id, ct);
    }

    public override async Task InsertAsync(Tenant tenant, Contact contact, CancellationToken ct)
    {
        await using var request = Scopes.CreateAsyncScope();
        await using var db = Context(request.ServiceProvider, tenant);
        db.Contacts.Add(contact);
        await db.SaveChangesAsync(ct);
    }

    /// <summary>
    /// The request's context. To dispose of one that the scope leased changes nothing: the scope ends the lease.
    /// </summary>
    protected abstract ContactsContext Context(IServiceProvider request, Tenant tenant);
}

using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy.Databases;
using Tenancy.Registries;

namespace Tenancy;

/// <content>New tenants.</content>
public sealed partial class Tenants
{
    /// <summary>Span: a tenant is created; attribute <see cref="TenancyTelemetry.Tenant"/>.</summary>
    public const string CreateTenant = "create tenant";

    private volatile bool _hasTables;

    /// <summary>
    /// Creates a tenant at run time: the registry's row, its schema with all migrations, its ledger row, its first
    /// rows, in one transaction. It exists completely afterwards, or not at all.
    /// </summary>
    /// <param name="slug">See <see cref="TenantSlug"/>.</param>
    /// <param name="ct">Ends the work; nothing of it stays.</param>
    /// <exception cref="FormatException">The slug can't be a tenant's.</exception>
    /// <exception cref="TenantSlugTakenException">It is another's.</exception>
    /// <exception cref="InvalidOperationException">The application has no <see cref="ITenantRegistry"/>.</exception>
    /// <exception cref="NpgsqlException">The database failed, or a migration did.</exception>
    public Task<Tenant> CreateAsync(string slug, CancellationToken ct = default) => CreateAsync(slug, null, ct);

    /// <summary>The same, with a name for people.</summary>
    /// <param name="slug">See <see cref="TenantSlug"/>.</param>
    /// <param name="name">For people, see <see cref="TenantName"/>; null for the slug.</param>
    /// <param name="ct">Ends the work; nothing of it stays.</param>
    /// <exception cref="FormatException">The slug, or the name, can't be a tenant's.</exception>
    /// <exception cref="TenantSlugTakenException">It is another's.</exception>
    /// <exception cref="InvalidOperationException">The application has no <see cref="ITenantRegistry"/>, or nobody has
    /// migrated the database yet.</exception>
    /// <exception cref="NpgsqlException">The database failed, or a migration did.</exception>
    public Task<Tenant> CreateAsync(string slug, string? name, CancellationToken ct = default) =>
        CreateAsync(null, slug, name, ct);

    /// <summary>
    /// The same with an id of the caller's, so that it may be repeated: where the tenant with that id and that slug is
    /// there, it is returned as it is.
    /// </summary>
    /// <param name="id">The new tenant's id; the same for each repetition, and no other tenant's.</param>
    /// <param name="slug">See <see cref="TenantSlug"/>.</param>
    /// <param name="name">For people, see <see cref="TenantName"/>; null for the slug.</param>
    /// <param name="ct">Ends the work; nothing of it stays.</param>
    /// <exception cref="FormatException">The slug, or the name, can't be a tenant's.</exception>
    /// <exception cref="TenantSlugTakenException">The slug is another tenant's.</exception>
    /// <exception cref="InvalidOperationException">The application has no <see cref="ITenantRegistry"/>, or nobody has
    /// migrated the database yet.</exception>
    /// <exception cref="NpgsqlException">The database failed, a migration did, or the id is another
    /// tenant's.</exception>
    public async Task<Tenant> CreateAsync(Guid id, string slug, string? name, CancellationToken ct = default)
    {
        try
        {
            return await CreateAsync((Guid?)id, slug, name, ct);
        }
        catch (TenantSlugTakenException)
        {
            await using var scope = scopes.CreateAsyncScope();
            if (await scope.ServiceProvider.Registry().FindAsync(slug, ct) is { } there && there.Tenant.Id == id)
            {
                await PlacedTenants.SettleAsync(database, there, ct);
                return there.Tenant;
            }

            throw;
        }
    }

    /// <summary>
    /// The same in another database than the first. The registry's row is in the first one and the schema in the other,
    /// so they can't be made in one transaction. An interruption leaves a tenant that nobody serves, and that
    /// <see cref="TenantRemoval.ReconcileAsync"/> removes after an hour.
    /// </summary>
    /// <param name="database">One of <see cref="TenancyOptions.Databases"/>; null for the first one.</param>
    /// <param name="slug">See <see cref="TenantSlug"/>.</param>
    /// <param name="name">For people, see <see cref="TenantName"/>; null for the slug.</param>
    /// <param name="id">The tenant's id, with which this may be repeated; null for a new one.</param>
    /// <param name="ct">Ends the work.</param>
    /// <exception cref="ArgumentException">There is no such database.</exception>
    /// <exception cref="FormatException">The slug, or the name, can't be a tenant's.</exception>
    /// <exception cref="TenantSlugTakenException">It is another's.</exception>
    /// <exception cref="NpgsqlException">One of the databases failed, or a migration did.</exception>
    public async Task<Tenant> CreateInAsync(
        string? database, string slug, string? name = null, Guid? id = null, CancellationToken ct = default)
    {
        if (database != tenancy.Database)
        {
            await using var scope = scopes.CreateAsyncScope();
            var databases = scope.ServiceProvider.GetRequiredService<TenantDatabases>();
            return await databases.Named(database ?? "").GetRequiredService<Tenants>()
                .CreateInAsync(database, slug, name, id, ct);
        }

        return id is { } own ? await CreateAsync(own, slug, name, ct) : await CreateAsync(null, slug, name, ct);
    }

    private async Task<Tenant> CreateAsync(Guid? id, string slug, string? name, CancellationToken ct)
    {
        TenantSlug.Check(slug);
        TenantName.Check(name);
        using var span = TenancyTelemetry.StartFor(slug, CreateTenant);
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            var tenant = await AddAsync(scope.ServiceProvider, id, slug, name, ct);
            await directory.ForgetAsync(slug, ct);
            return tenant;
        }
        catch (Exception e) when (e is not TenantSlugTakenException)
        {
            span?.SetStatus(System.Diagnostics.ActivityStatusCode.Error, e.Message);
            throw;
        }
    }

    private async Task<Tenant> AddAsync(
        IServiceProvider services, Guid? id, string slug, string? name, CancellationToken ct)
    {
        var registry = services.Registry();
        await RefuseWithoutTablesAsync(ct);
        // Asked first, before a transaction waits for one that may add the same; the registry's constraint decides when
        // two ask at once.
        if (await registry.FindAsync(slug, ct) is not null)
        {
            throw new TenantSlugTakenException(slug);
        }

        await provisioner.PrepareAsync(ct);
        Tenant? tenant = null;
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await provisioner.ProvisionAsync(
            transaction, tenancy.WantedSchema(slug), reserved: async schema =>
                tenant = await registry.AddNewAsync(
                    slug, name, schema, transaction, time, ct, id, tenancy.Database), ct: ct);
        foreach (var seed in services.GetServices<TenantSeed>())
        {
            await seed.WriteAsync(services, tenant!, transaction, ct);
        }

        await transaction.CommitNewAsync(ct);
        return tenant!;
    }

    private async Task RefuseWithoutTablesAsync(CancellationToken ct)
    {
        if (_hasTables)
        {
            return;
        }

        await using var ask = database.CreateCommand("SELECT to_regclass('tenancy.schemas') IS NOT NULL");
        _hasTables = await ask.ExecuteScalarAsync(ct) is true
            ? true
            : throw new InvalidOperationException(
                "The database has no ledger yet: run the migration job, or Tenants.MigrateAsync(), first.");
    }
}

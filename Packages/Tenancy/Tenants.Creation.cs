using Microsoft.Extensions.DependencyInjection;
using Npgsql;
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
    /// <exception cref="NpgsqlException">The database failed, a migration did, or the id is another tenant's.</exception>
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
                return there.Tenant;
            }

            throw;
        }
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
                tenant = await registry.AddNewAsync(slug, name, schema, transaction, time, ct, id), ct: ct);
        foreach (var seed in services.GetServices<TenantSeed>())
        {
            await seed.WriteAsync(services, tenant!, transaction, ct);
        }

        await transaction.CommitAsync(ct);
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

using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy.Registries;

namespace Tenancy.Transfer;

/// <summary>Makes tenants whose rows come from elsewhere.</summary>
internal sealed class TenantLandings(
    SchemaProvisioner provisioner, CompiledMigrations migrations, TenantDirectory directory, FleetMigrator fleet,
    TenancyOptions options, IServiceScopeFactory scopes, TimeProvider time)
{
    /// <summary>Does the work of once per process, before a transaction holds a connection.</summary>
    /// <exception cref="FormatException">The slug, or the name, can't be a tenant's.</exception>
    /// <exception cref="TenantSlugTakenException">It is another's.</exception>
    public async Task PrepareAsync(string slug, string? name, CancellationToken ct)
    {
        TenantSlug.Check(slug);
        TenantName.Check(name);
        if (await FindAsync(slug, ct) is not null)
        {
            throw new TenantSlugTakenException(slug);
        }

        await provisioner.PrepareAsync(ct);
    }

    /// <summary>The tenant of that slug; null for none.</summary>
    public async Task<TenantEntry?> FindAsync(string slug, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        return await scope.ServiceProvider.Registry().FindAsync(slug, ct);
    }

    /// <summary>Makes the tenant's row and its schema, empty, at a version.</summary>
    /// <param name="transaction">The caller's, which he commits.</param>
    /// <param name="id">The new tenant's id; null for any.</param>
    /// <param name="slug">The new tenant's slug.</param>
    /// <param name="name">For people; null for the slug.</param>
    /// <param name="ids">The version's migrations.</param>
    /// <param name="other">The schema that the rows come from; empty for none.</param>
    /// <param name="ct">Ends the work; roll the transaction back.</param>
    /// <exception cref="TenantTransferException">This build lacks one of the migrations.</exception>
    /// <exception cref="TenantSlugTakenException">The slug is another's.</exception>
    public async Task<Landing> OpenAsync(NpgsqlTransaction transaction, Guid? id, string slug, string? name,
        IReadOnlySet<string> ids, string other, CancellationToken ct)
    {
        RefuseUnknown(ids);
        var connection = transaction.Connection!;
        await RunLimits.SetLocalAsync(connection, TimeSpan.Zero, ct);
        await using var scope = scopes.CreateAsyncScope();
        var schema = await provisioner.ReserveAsync(transaction, options.WantedSchema(slug), ct: ct);
        var tenant = await scope.ServiceProvider.Registry()
            .AddNewAsync(slug, name, schema, transaction, time, ct, id, options.Database);
        await provisioner.CreateAtAsync(transaction, schema, ids, ct);
        return await Landing.OpenAsync(connection, tenant, migrations.HistoryTable, other, ct);
    }

    /// <summary>Makes a second schema for a tenant, which the registry doesn't know yet, empty, at a version.</summary>
    /// <param name="transaction">The caller's, which he commits.</param>
    /// <param name="tenant">As the registry has it.</param>
    /// <param name="ids">The version's migrations.</param>
    /// <param name="ct">Ends the work; roll the transaction back.</param>
    /// <exception cref="TenantTransferException">This build lacks one of the migrations.</exception>
    public async Task<Landing> OpenForAsync(
        NpgsqlTransaction transaction, Tenant tenant, IReadOnlySet<string> ids, CancellationToken ct)
    {
        RefuseUnknown(ids);
        var connection = transaction.Connection!;
        await RunLimits.SetLocalAsync(connection, TimeSpan.Zero, ct);
        var schema = await provisioner.ReserveAsync(transaction, options.WantedSchema(tenant.Slug), ct: ct);
        await provisioner.CreateAtAsync(transaction, schema, ids, ct);
        return await Landing.OpenAsync(connection, tenant with { Schema = schema, Database = options.Database },
            migrations.HistoryTable, other: "", ct);
    }

    private void RefuseUnknown(IReadOnlySet<string> ids)
    {
        if (ids.Except(migrations.Ids).Order(StringComparer.Ordinal).FirstOrDefault() is { } unknown)
        {
            throw new TenantTransferException(
                $"This build lacks the migration '{unknown}'. Use the build that has it, or a newer one.");
        }
    }

    /// <summary>After the commit: lets this process serve it, and brings it to this build's version.</summary>
    /// <returns>What kept it from that version; null where it is there.</returns>
    public async Task<string?> FinishAsync(Tenant tenant, IReadOnlySet<string> ids, CancellationToken ct)
    {
        string? error = null;
        if (!migrations.Ids.All(ids.Contains))
        {
            var report = await fleet.RunAsync(new() { Only = [tenant.Schema] }, ct);
            error = report.Failed is [var failed, ..] ? failed.Error : report.Reason;
        }

        await directory.ForgetAsync(tenant.Slug, ct);
        return error;
    }
}

using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy.Adoption;
using Tenancy.Citus;
using Tenancy.Databases;
using Tenancy.Ledgers;
using Tenancy.Registries;

namespace Tenancy;

/// <summary>The tables that become a tenant, for <see cref="TenantAdoption"/>.</summary>
/// <param name="Slug">The tenant's, see <see cref="TenantSlug"/>.</param>
/// <param name="From">
/// The schema whose tables become the tenant's. One of its own is renamed. From <c>public</c>, what the tenants'
/// migrations make is moved, and the rest stays: extensions, other contexts' tables.
/// </param>
public sealed record AdoptionRequest(string Slug, string From)
{
    /// <summary>For people; the slug if null.</summary>
    public string? Name { get; init; }

    /// <summary>
    /// The schema of EF's history table. Default: <see cref="From"/> if it is there, else <c>public</c>. A history that
    /// several contexts share is split: the tenant gets the rows of the tenants' migrations, the others stay where they
    /// are.
    /// </summary>
    public string? History { get; init; }

    /// <summary>
    /// The last migration whose tables are there, by id or name, where no history says it: tables made by
    /// <c>EnsureCreated</c> or by hand.
    /// </summary>
    public string? Baseline { get; init; }

    /// <summary>
    /// The database that has the tables and gets the tenant, one of <see cref="TenancyOptions.Databases"/>; null for
    /// the first one.
    /// </summary>
    public string? Database { get; init; }

    /// <summary>Adopts what differs from what the migrations make, too.</summary>
    public bool AcceptDifferences { get; init; }
}

/// <summary>The steps of an adoption.</summary>
/// <param name="Tenant">Who it becomes.</param>
/// <param name="Steps">What is changed, in order, in words.</param>
/// <param name="Stays">What of the source isn't the tenants' migrations', and stays.</param>
/// <param name="Differences">Where the tables aren't as the migrations make them; an adoption refuses these unless
/// <see cref="AdoptionRequest.AcceptDifferences"/>.</param>
/// <param name="Pending">The migrations that the tenant lacks, which the next run applies. It isn't served
/// before.</param>
public sealed record AdoptionPlan(Tenant Tenant, IReadOnlyList<string> Steps, IReadOnlyList<string> Stays,
    IReadOnlyList<string> Differences, IReadOnlyList<string> Pending);

/// <summary>A database can't be adopted as it is; the message says why, and what to do. Nothing was changed.</summary>
/// <param name="message">Both.</param>
public sealed class AdoptionException(string message) : InvalidOperationException(message);

/// <summary>
/// Makes a tenant of the tables of an application that had none: its schema, its history, its ledger row, its row in
/// the registry, in one transaction, compared with what the migrations make before it commits. In another database than
/// the first, the registry's row is committed before the rest; interrupted in between, it can be done again.
/// </summary>
public sealed class TenantAdoption(
    [FromKeyedServices(TenancyOptions.OwnerKey)] NpgsqlDataSource database, CompiledMigrations migrations,
    SchemaVersions versions, SchemaProvisioner provisioner, TenantDirectory directory, IServiceScopeFactory scopes,
    TenancyOptions options)
{
    /// <summary>Does all of it, and takes it back: what it returns is what an adoption would do.</summary>
    /// <inheritdoc cref="AdoptAsync"/>
    public Task<AdoptionPlan> PlanAsync(AdoptionRequest request, CancellationToken ct = default) =>
        RunAsync(request, commit: false, ct);

    /// <summary>
    /// Adopts. It locks the tables against everybody for the moment that it takes, whose length doesn't grow with their
    /// rows. Back them up before, and stop what writes under the old names.
    /// </summary>
    /// <param name="request">What, and as whom.</param>
    /// <param name="ct">Ends it; nothing is changed then.</param>
    /// <exception cref="AdoptionException">It can't be adopted as it is.</exception>
    /// <exception cref="FormatException">The slug can't be a tenant's.</exception>
    /// <exception cref="TenantSlugTakenException">It is another's.</exception>
    /// <exception cref="ArgumentException">The build has no such migration, or there is no such database.</exception>
    /// <exception cref="NpgsqlException">The database failed.</exception>
    public Task<AdoptionPlan> AdoptAsync(AdoptionRequest request, CancellationToken ct = default) =>
        RunAsync(request, commit: true, ct);

    private async Task<AdoptionPlan> RunAsync(AdoptionRequest request, bool commit, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(request);
        TenantSlug.Check(request.Slug);
        await using var scope = scopes.CreateAsyncScope();
        if (request.Database is { } name && name != options.Database)
        {
            return await scope.ServiceProvider.GetRequiredService<TenantDatabases>().Named(name)
                .GetRequiredService<TenantAdoption>().RunAsync(request, commit, ct);
        }

        await provisioner.PrepareAsync(ct);
        var registry = scope.ServiceProvider.Registry();
        var time = scope.ServiceProvider.GetRequiredService<TimeProvider>();
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await RunLimits.SetLocalAsync(connection, TimeSpan.Zero, ct);
        await PlacedTenants.ForgetInterruptedAsync(transaction, registry, request.Slug, ct);
        var source = await AdoptedSource.ReadAsync(connection, request, migrations, options, ct);
        // Over a connection of its own: whoever meets that version mustn't wait for this transaction.
        var version = await versions.RecordAsync(source.Applied, ct);

        var schema = await provisioner.ReserveAsync(transaction, options.WantedSchema(request.Slug), ct: ct);
        var tenant = await registry.AddNewAsync(
            request.Slug, request.Name, schema, transaction, time, ct, database: options.Database);

        var mover = new AdoptionMove(connection, source, migrations, schema);
        var reference = await mover.MakeReferenceAsync(options, ct);
        await mover.MoveAsync(reference, ct);
        await mover.ExecuteAsync(
            TenantRoles.Create(options, migrations, schema) + LedgerTable.Created(schema, version, "ready"), ct);
        if (await CitusEngine.IsPresentAsync(database, ct))
        {
            await mover.DistributeAsync(ct);
        }

        var differences = await mover.CompareAsync(reference, ct);
        var plan = new AdoptionPlan(tenant, mover.Steps, mover.Stays, differences,
            [.. migrations.Ids.Where(id => !source.Applied.Contains(id))]);
        if (!commit)
        {
            return plan;
        }

        if (differences.Count > 0 && !request.AcceptDifferences)
        {
            throw new AdoptionException(
                $"{request.From} isn't what the tenants' migrations make, so the next ones could fail: " +
                $"{string.Join("; ", differences)}. Mend that in {request.From}, or add it to a migration; or accept " +
                "the differences. Nothing was changed.");
        }

        await transaction.CommitAdoptedAsync(ct);
        await directory.ForgetAsync(request.Slug, ct);
        return plan;
    }
}

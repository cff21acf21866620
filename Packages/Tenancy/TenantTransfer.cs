using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy.Databases;
using Tenancy.Transfer;

namespace Tenancy;

/// <summary>The result of an import or a clone.</summary>
/// <param name="Tenant">The new tenant.</param>
/// <param name="Rows">How many rows it has, by table.</param>
/// <param name="MigrationError">
/// What kept the tenant from this build's version; null where it has it. The tenant is there and isn't served: mend the
/// cause, then run the migration job.
/// </param>
public sealed record TransferredTenant(
    Tenant Tenant, IReadOnlyDictionary<string, long> Rows, string? MigrationError = null);

/// <summary>
/// Exports a tenant into a file, makes a tenant from such a file, and clones a tenant. All rows of an export or a clone
/// are from one snapshot. The new tenant gets a schema of its own.
/// </summary>
public sealed class TenantTransfer
{
    private readonly NpgsqlDataSource _database;
    private readonly CompiledMigrations _migrations;
    private readonly SourceTenants _sources;
    private readonly TenantLandings _landings;
    private readonly TimeProvider _time;
    private readonly IServiceProvider _services;

    internal TenantTransfer(NpgsqlDataSource database, CompiledMigrations migrations, SourceTenants sources,
        TenantLandings landings, TimeProvider time, IServiceProvider services) =>
        (_database, _migrations, _sources, _landings, _time, _services) =
            (database, migrations, sources, landings, time, services);

    /// <summary>
    /// Writes a tenant's rows into a file: a ZIP archive with an entry for each table, and a manifest. A suspended or
    /// archived tenant can be exported, too. Requests of the tenant go on; a migration of its schema waits.
    /// </summary>
    /// <param name="slug">Whose.</param>
    /// <param name="file">Written from where it stands; it needn't seek, and stays open.</param>
    /// <param name="ct">Ends it. The file is then incomplete, and an import refuses it.</param>
    /// <returns>How many rows each table has.</returns>
    /// <exception cref="TenantUnavailableException">There is no such tenant.</exception>
    /// <exception cref="TenantTransferException">Its schema isn't complete, or it is being migrated.</exception>
    public async Task<IReadOnlyDictionary<string, long>> ExportAsync(
        string slug, Stream file, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(file);
        if (await ElsewhereAsync(slug, ct) is { } there)
        {
            return await there.ExportAsync(slug, file, ct);
        }

        _migrations.Compile();
        await using var source = await _sources.OpenAsync(slug, ct);
        return await ExportFile.WriteAsync(source, _migrations.HistoryTable, file, _time.GetUtcNow(), ct);
    }

    /// <summary>
    /// Makes a tenant from an export, in one transaction: it exists with all rows, or not at all. A file of an older
    /// version is migrated afterwards.
    /// </summary>
    /// <param name="file">An export, from where it stands. One that can't seek is first written to a temporary
    /// file.</param>
    /// <param name="slug">The new tenant's slug. Its id and its schema are new, too.</param>
    /// <param name="name">For people; null for the slug.</param>
    /// <param name="limits">Null for the defaults.</param>
    /// <param name="ct">Ends it; nothing of the tenant stays.</param>
    /// <exception cref="FormatException">The slug, or the name, can't be a tenant's.</exception>
    /// <exception cref="TenantSlugTakenException">It is another's.</exception>
    /// <exception cref="TenantTransferException">The file isn't an export, doesn't fit this build, is damaged, or
    /// exceeds a limit.</exception>
    public Task<TransferredTenant> ImportAsync(Stream file, string slug, string? name = null,
        TenantImportLimits? limits = null, CancellationToken ct = default) =>
            ImportAsync(file, slug, name, limits, id: null, ct);

    /// <summary>The same into a database of the caller's choice.</summary>
    /// <param name="database">One of <see cref="TenancyOptions.Databases"/>; null for the first one.</param>
    /// <param name="file">See there.</param>
    /// <param name="slug">The new tenant's slug.</param>
    /// <param name="name">For people; null for the slug.</param>
    /// <param name="limits">Null for the defaults.</param>
    /// <param name="ct">Ends it.</param>
    /// <exception cref="ArgumentException">There is no such database.</exception>
    /// <exception cref="FormatException">The slug, or the name, can't be a tenant's.</exception>
    /// <exception cref="TenantSlugTakenException">It is another's.</exception>
    /// <exception cref="TenantTransferException">The file isn't an export, doesn't fit this build, is damaged, or
    /// exceeds a limit.</exception>
    public Task<TransferredTenant> ImportInAsync(string? database, Stream file, string slug, string? name = null,
        TenantImportLimits? limits = null, CancellationToken ct = default) =>
            In(database).ImportAsync(file, slug, name, limits, id: null, ct);

    /// <summary>The same with the new tenant's id. With it, it may be repeated.</summary>
    internal Task<TransferredTenant> ImportInAsync(
        string? database, Stream file, string slug, string? name, Guid id, CancellationToken ct)
    {
        var target = In(database);
        return target.OnceAsync(id, slug, () => target.ImportAsync(file, slug, name, limits: null, id, ct), ct);
    }

    private async Task<TransferredTenant> ImportAsync(
        Stream file, string slug, string? name, TenantImportLimits? limits, Guid? id, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(file);
        limits ??= new();
        await _landings.PrepareAsync(slug, name, ct);
        if (!file.CanSeek)
        {
            await using var kept = await SpooledFile.OfAsync(file, limits.FileBytes, ct);
            return await ImportAsync(kept, slug, name, limits, id, ct);
        }

        await using var import = await ImportFile.OpenAsync(file, limits, ct);
        var ids = import.Manifest.Migrations.ToHashSet(StringComparer.Ordinal);
        await using var connection = await _database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var landing = await _landings.OpenAsync(transaction, id, slug, name, ids, other: "", ct);
        var rows = await import.WriteAsync(landing, ct);
        try
        {
            await landing.CloseAsync(ct);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.ForeignKeyViolation)
        {
            throw new TenantTransferException($"The file's rows don't fit together: {e.MessageText}", e);
        }

        await transaction.CommitNewAsync(ct);
        return new(landing.Tenant, rows, await _landings.FinishAsync(landing.Tenant, ids, ct));
    }

    /// <summary>
    /// Makes a tenant with the rows of another one, e.g. as a sandbox, in one transaction: it exists with all rows, or
    /// not at all.
    /// </summary>
    /// <param name="slug">Whose rows.</param>
    /// <param name="newSlug">The new tenant's slug.</param>
    /// <param name="name">For people; null for the slug.</param>
    /// <param name="ct">Ends it; nothing of the new tenant stays.</param>
    /// <exception cref="TenantUnavailableException">There is no such tenant.</exception>
    /// <exception cref="FormatException">The new slug, or the name, can't be a tenant's.</exception>
    /// <exception cref="TenantSlugTakenException">It is another's.</exception>
    /// <exception cref="TenantTransferException">The schema isn't complete, is being migrated, or is newer than this
    /// build.</exception>
    public Task<TransferredTenant> CloneAsync(
        string slug, string newSlug, string? name = null, CancellationToken ct = default) =>
            CloneAsync(slug, newSlug, name, id: null, ct);

    /// <summary>
    /// The same into a database of the caller's choice. Into another one than the tenant's, all rows go through a
    /// temporary file.
    /// </summary>
    /// <param name="database">One of <see cref="TenancyOptions.Databases"/>; null for the first one.</param>
    /// <param name="slug">Whose rows.</param>
    /// <param name="newSlug">The new tenant's slug.</param>
    /// <param name="name">For people; null for the slug.</param>
    /// <param name="ct">Ends it.</param>
    /// <exception cref="ArgumentException">There is no such database.</exception>
    /// <exception cref="TenantUnavailableException">There is no such tenant.</exception>
    /// <exception cref="FormatException">The new slug, or the name, can't be a tenant's.</exception>
    /// <exception cref="TenantSlugTakenException">It is another's.</exception>
    /// <exception cref="TenantTransferException">The schema isn't complete, is being migrated, or is newer than this
    /// build.</exception>
    public Task<TransferredTenant> CloneInAsync(
        string? database, string slug, string newSlug, string? name = null, CancellationToken ct = default) =>
            CloneInAsync(In(database), slug, newSlug, name, id: null, ct);

    /// <summary>The same with the new tenant's id. With it, it may be repeated.</summary>
    internal Task<TransferredTenant> CloneInAsync(
        string? database, string slug, string newSlug, string? name, Guid id, CancellationToken ct)
    {
        var target = In(database);
        return target.OnceAsync(id, newSlug, () => CloneInAsync(target, slug, newSlug, name, id, ct), ct);
    }

    private async Task<TransferredTenant> CloneInAsync(
        TenantTransfer target, string slug, string newSlug, string? name, Guid? id, CancellationToken ct)
    {
        var database = target._services.GetRequiredService<TenancyOptions>().Database;
        if (await FindAsync(slug, ct) is { } tenant && tenant.Database == database)
        {
            return await target.CloneAsync(slug, newSlug, name, id, ct);
        }

        await target._landings.PrepareAsync(newSlug, name, ct);
        await using var file = SpooledFile.New();
        await ExportAsync(slug, file, ct);
        file.Position = 0;
        return await target.ImportAsync(file, newSlug, name, limits: null, id, ct);
    }

    /// <summary>The same with the new tenant's id. With it, it may be repeated.</summary>
    internal Task<TransferredTenant> CloneAsync(
        string slug, string newSlug, string? name, Guid id, CancellationToken ct) =>
        OnceAsync(id, newSlug, () => CloneAsync(slug, newSlug, name, (Guid?)id, ct), ct);

    private async Task<TransferredTenant> CloneAsync(
        string slug, string newSlug, string? name, Guid? id, CancellationToken ct)
    {
        // A clone is in the database of its original.
        if (await ElsewhereAsync(slug, ct) is { } there)
        {
            return await there.CloneAsync(slug, newSlug, name, id, ct);
        }

        await _landings.PrepareAsync(newSlug, name, ct);
        var (tenant, rows, ids) = await SourceTenants.RetryAsync(async () =>
        {
            await using var source = await _sources.OpenAsync(slug, ct);
            var landing = await _landings.OpenAsync(
                source.Transaction, id, newSlug, name, source.Migrations, source.Schema.Value, ct);
            var copied = await landing.CopyAsync(source.Schema, ct);
            await landing.CloseAsync(ct);
            await source.Transaction.CommitNewAsync(ct);
            return (landing.Tenant, copied, source.Migrations);
        });
        return new(tenant, rows, await _landings.FinishAsync(tenant, ids, ct));
    }

    /// <summary>That of the database that has the tenant; null where it is this one, or there is none.</summary>
    private async Task<TenantTransfer?> ElsewhereAsync(string slug, CancellationToken ct)
    {
        var options = _services.GetRequiredService<TenancyOptions>();
        return options is { Database: null, Databases.Count: > 0 }
            && await FindAsync(slug, ct) is { Database: not null } tenant
            ? _services.GetRequiredService<TenantDatabases>().Of(tenant).GetRequiredService<TenantTransfer>()
            : null;
    }

    private async Task<Tenant?> FindAsync(string slug, CancellationToken ct) =>
        TenantSlug.IsValid(slug) ? (await _landings.FindAsync(slug, ct))?.Tenant : null;

    private TenantTransfer In(string? database) => database is null
        ? this
        : _services.GetRequiredService<TenantDatabases>().Named(database).GetRequiredService<TenantTransfer>();

    /// <summary>Finds the tenant that an earlier call has made, and brings it to this build's version.</summary>
    private async Task<TransferredTenant> OnceAsync(
        Guid id, string slug, Func<Task<TransferredTenant>> make, CancellationToken ct)
    {
        try
        {
            return await make();
        }
        catch (TenantSlugTakenException)
        {
            if (await _landings.FindAsync(slug, ct) is not { } there || there.Tenant.Id != id)
            {
                throw;
            }

            var holder = In(there.Tenant.Database);
            await PlacedTenants.SettleAsync(holder._database, there, ct);
            return new(there.Tenant, new Dictionary<string, long>(),
                await holder._landings.FinishAsync(there.Tenant, new HashSet<string>(), ct));
        }
    }
}

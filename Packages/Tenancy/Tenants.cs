using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy.Databases;
using Tenancy.Registries;
using Tenancy.Removal;

namespace Tenancy;

/// <summary>A tenant, for operators.</summary>
/// <param name="Entry">As the registry has it.</param>
/// <param name="Version">Its schema's, see <see cref="CompiledMigrations.Fingerprint"/>; empty where it has
/// none.</param>
/// <param name="Availability">Whether this build serves it, and why not.</param>
public sealed record TenantSummary(TenantEntry Entry, string Version, Availability Availability);

/// <summary>
/// Creates tenants, lists them, migrates them, and serves them outside of requests: for queues, hubs, jobs. Each piece
/// of work has a scope of its own, whose tenant is chosen as a request's is.
/// </summary>
public sealed partial class Tenants(
    [FromKeyedServices(TenancyOptions.OwnerKey)] NpgsqlDataSource database, TenantDirectory directory,
    IServiceScopeFactory scopes, TenancyOptions tenancy, SchemaProvisioner provisioner, FleetMigrator fleet,
    TimeProvider time)
{
    /// <summary>Opens a scope that serves the tenant.</summary>
    /// <param name="slug">Whose; see <see cref="TenantDirectory.FindAsync(string, CancellationToken)"/>.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>To be disposed of.</returns>
    /// <exception cref="TenantUnavailableException">There is no such tenant, or it isn't served now.</exception>
    public async Task<TenantScope> ServeAsync(string slug, CancellationToken ct = default) =>
        Open(await FindAsync(slug, ct));

    /// <summary>
    /// Does the work for every tenant that is served, a few at a time, in the order of their schemas. A tenant that is
    /// made meanwhile is visited if its schema's name is still to come. An exception of one tenant's work keeps no
    /// other from its turn.
    /// </summary>
    /// <param name="work">Done once for each tenant, in a scope of its own.</param>
    /// <param name="options">See there; null for the defaults.</param>
    /// <param name="ct">Ends it after the work in hand, whose token is the same.</param>
    /// <exception cref="InvalidOperationException"><see cref="TenancyOptions.FindSlugs"/> or
    /// <see cref="TenancyOptions.FindTenant"/> isn't set.</exception>
    /// <exception cref="NpgsqlException">The ledger or the registry can't be read. With several databases: one of them
    /// can't; the others' tenants were visited.</exception>
    /// <exception cref="OperationCanceledException">It was ended.</exception>
    public Task<ForEachTenantReport> ForEachAsync(
        Func<TenantScope, CancellationToken, Task> work, ForEachTenantOptions? options = null,
        CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        options ??= new();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Parallel, 1);
        return new TenantVisits(this, Ledgers(), scopes, tenancy).RunAsync(work, options, ct);
    }

    private IReadOnlyList<NpgsqlDataSource> Ledgers()
    {
        if (tenancy.Database is not null || tenancy.Databases.Count == 0)
        {
            return [database];
        }

        using var scope = scopes.CreateScope();
        return [database, .. scope.ServiceProvider.GetRequiredService<TenantDatabases>().Others
            .Select(other => other.Owner)];
    }

    /// <summary>Tenants in the order of their slugs, with the state of their schemas.</summary>
    /// <param name="after">The slug that the page begins behind; null for the first page.</param>
    /// <param name="limit">At most so many; 1 to 1,000.</param>
    /// <param name="ct">Ends the wait.</param>
    public async Task<IReadOnlyList<TenantSummary>> ListAsync(
        string? after = null, int limit = 100, CancellationToken ct = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, 1000);
        await using var scope = scopes.CreateAsyncScope();
        return await SummariesAsync(await scope.ServiceProvider.Registry().ListAsync(after, limit, ct), ct);
    }

    /// <summary>Tenants with the state, the version and the size of their schemas, filtered and sorted.</summary>
    /// <param name="query">Which, in which order.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="ArgumentOutOfRangeException">The limit isn't from 1 to 1,000, or less than none is
    /// skipped.</exception>
    /// <exception cref="FormatException"><see cref="TenantQuery.After"/> isn't a place in that list.</exception>
    /// <exception cref="NotSupportedException">
    /// The registry has no <see cref="ITenantRegistry.TenantsSql"/>.
    /// </exception>
    /// <exception cref="PostgresException">42P01: nobody has migrated the database yet.</exception>
    public async Task<TenantPage> SearchAsync(TenantQuery query, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(query.Limit, 1000);
        ArgumentOutOfRangeException.ThrowIfNegative(query.Skip);
        await using var scope = scopes.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<TenantSearch>()
            .RunAsync(scope.ServiceProvider.Registry(), query, ct);
    }

    /// <summary>
    /// How many tenants each filter finds, from one query. What <see cref="SearchAsync"/> finds and what this counts
    /// is the same.
    /// </summary>
    /// <param name="search">See <see cref="TenantQuery.Search"/>; null for all.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="NotSupportedException">
    /// The registry has no <see cref="ITenantRegistry.TenantsSql"/>.
    /// </exception>
    /// <exception cref="PostgresException">42P01: nobody has migrated the database yet.</exception>
    public async Task<TenantCounts> CountAsync(string? search = null, CancellationToken ct = default)
    {
        await using var scope = scopes.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<TenantSearch>()
            .CountAsync(scope.ServiceProvider.Registry(), search, ct);
    }

    /// <summary>One tenant, whether it is served or not; null when there is none.</summary>
    /// <param name="slug">Whose. Asks the registry itself, not the directory's cache.</param>
    /// <param name="ct">Ends the wait.</param>
    public async Task<TenantSummary?> FindSummaryAsync(string slug, CancellationToken ct = default)
    {
        await using var scope = scopes.CreateAsyncScope();
        return TenantSlug.IsValid(slug) && await scope.ServiceProvider.Registry().FindAsync(slug, ct) is { } entry
            ? (await SummariesAsync([entry], ct))[0]
            : null;
    }

    /// <summary>
    /// Stops serving a tenant, serves it again, or archives it. This process notices at once, others when the database
    /// tells them (<see cref="TenancyOptions.DirectoryListenTime"/>). A tenant that is no longer served has no open
    /// transaction when this returns. Any status but <see cref="TenantStatus.Archived"/> takes back what
    /// <see cref="TenantRemoval.DropAsync"/> asked for.
    /// </summary>
    /// <param name="slug">The tenant's slug.</param>
    /// <param name="status">From now on.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>False when there is no such tenant.</returns>
    /// <exception cref="TenantInUseException">It has the status, and after <see cref="TenancyOptions.LockTimeout"/>
    /// some of its transactions are still open.</exception>
    public async Task<bool> SetStatusAsync(string slug, TenantStatus status, CancellationToken ct = default)
    {
        await using var scope = scopes.CreateAsyncScope();
        var registry = scope.ServiceProvider.Registry();
        if (!TenantSlug.IsValid(slug) || await registry.FindAsync(slug, ct) is not { } entry)
        {
            await directory.ForgetAsync(slug, ct);
            return false;
        }

        if (Elsewhere(scope.ServiceProvider, entry.Tenant) is { } there)
        {
            return await there.SetStatusAsync(slug, status, ct);
        }

        if (status != TenantStatus.Archived)
        {
            await KeepAsync(entry.Tenant.Schema, ct);
        }

        var changed = await registry.TrySetStatusAsync(entry.Tenant.Id, status, ct);
        await directory.ForgetAsync(slug, ct);
        if (changed && status != TenantStatus.Active
            && await OpenTransactions.WaitAsync(database, entry.Tenant.Schema, tenancy.LockTimeout, time, ct)
                is { Count: > 0 } open)
        {
            throw new TenantInUseException(
                $"'{slug}' is {status.ToString().ToLowerInvariant()}, and {open.Count} of its transactions are still " +
                $"open after {tenancy.LockTimeout.TotalSeconds} s. Wait for them and try again, or end them by " +
                $"pg_terminate_backend: {string.Join(", ", open)}.");
        }

        return changed;
    }

    /// <summary>Takes a mark for removal back, unless the removal has begun.</summary>
    private async Task KeepAsync(SchemaName schema, CancellationToken ct)
    {
        await using var keep = database.CreateCommand(
            """
            UPDATE tenancy.schemas SET state = CASE WHEN attempts > 0 THEN 'failed' ELSE 'ready' END, drop_after = NULL
            WHERE schema = $1 AND state = 'dropping'
            """);
        keep.Parameters.Add(new NpgsqlParameter<string> { TypedValue = schema.Value });
        await keep.ExecuteNonQueryAsync(ct);
    }

    /// <summary>
    /// Changes a tenant's slug, its name, or both. Its id and its schema stay, and so does what it stores. This process
    /// notices at once. May be repeated.
    /// </summary>
    /// <remarks>
    /// Whatever names the tenant by its old slug has to learn the new one: addresses, tokens, cookies that
    /// <c>BindUsers</c> has bound.
    /// </remarks>
    /// <param name="slug">Its slug until now.</param>
    /// <param name="newSlug">Its slug from now on; null to leave it.</param>
    /// <param name="name">Its name from now on; null to leave it.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>The tenant; null when there is none with that slug.</returns>
    /// <exception cref="FormatException">The new slug, or the name, can't be a tenant's.</exception>
    /// <exception cref="TenantSlugTakenException">It is another tenant's.</exception>
    public async Task<Tenant?> RenameAsync(
        string slug, string? newSlug = null, string? name = null, CancellationToken ct = default)
    {
        TenantName.Check(name);
        newSlug ??= slug;
        if (newSlug != slug)
        {
            TenantSlug.Check(newSlug);
        }

        await using var scope = scopes.CreateAsyncScope();
        var registry = scope.ServiceProvider.Registry();
        if (!TenantSlug.IsValid(slug) || await registry.FindAsync(slug, ct) is not { } entry
            || !await registry.TryRenameAsync(entry.Tenant.Id, newSlug, name ?? entry.Name, ct))
        {
            return null;
        }

        await directory.ForgetAsync(slug, ct);
        await directory.ForgetAsync(newSlug, ct);
        return entry.Tenant with { Slug = newSlug };
    }

    /// <summary>Puts a tenant into a ring, in the registry and in the ledger. May be repeated.</summary>
    /// <param name="slug">The tenant's slug.</param>
    /// <param name="ring">When it is migrated from now on: 0 goes first.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>False when there is no such tenant.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The ring is less than 0.</exception>
    /// <exception cref="TenantInUseException">It is being migrated, exported or cloned; nothing was
    /// changed.</exception>
    public async Task<bool> SetRingAsync(string slug, int ring, CancellationToken ct = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(ring);
        await using var scope = scopes.CreateAsyncScope();
        var registry = scope.ServiceProvider.Registry();
        if (!TenantSlug.IsValid(slug) || await registry.FindAsync(slug, ct) is not { } entry)
        {
            return false;
        }

        await (Elsewhere(scope.ServiceProvider, entry.Tenant) ?? this)
            .SetRingAsync(registry, [entry.Tenant.Schema], ring, ct);
        return true;
    }

    /// <summary>The tenants of the database that has the tenant; null where it is this one.</summary>
    /// <exception cref="TenantUnavailableException">Nobody has configured that database.</exception>
    private Tenants? Elsewhere(IServiceProvider services, Tenant tenant) => tenant.Database == tenancy.Database
        ? null
        : services.GetRequiredService<TenantDatabases>().Of(tenant).GetRequiredService<Tenants>();

    /// <summary>The same for schemas: also for those that the registry doesn't have.</summary>
    internal async Task SetRingAsync(
        ITenantRegistry registry, IReadOnlyCollection<SchemaName> schemas, int ring, CancellationToken ct)
    {
        // The ledger first: it decides, and it is what may be held.
        await using (var connection = await database.OpenConnectionAsync(ct))
        await using (var transaction = await connection.BeginTransactionAsync(ct))
        {
            await RunLimits.SetLocalAsync(connection, tenancy.LockTimeout, ct);
            await using var move = new NpgsqlCommand(
                "UPDATE tenancy.schemas SET ring = $2 WHERE schema = ANY ($1)", connection);
            move.Parameters.Add(
                new NpgsqlParameter<string[]> { TypedValue = [.. schemas.Select(schema => schema.Value)] });
            move.Parameters.Add(new NpgsqlParameter<int> { TypedValue = ring });
            try
            {
                await move.ExecuteNonQueryAsync(ct);
            }
            catch (PostgresException e) when (e.GivesWay())
            {
                throw new TenantInUseException(
                    $"Of {schemas.Count} tenants one is being migrated, exported or cloned. No ring was changed: " +
                    "wait for its end and try again.", e);
            }

            await transaction.CommitAsync(ct);
        }

        await registry.MoveAsync(schemas, ring, ct);
    }

    /// <summary>
    /// Makes the library's own tables if they aren't there, then migrates every tenant's schema: what the migration job
    /// does, for a process that has none. Several may call it at once.
    /// </summary>
    /// <param name="ct">Ends it at once; what the groups in hand have done is rolled back.</param>
    /// <exception cref="TenantMigrationException">The build's migrations can't be a tenant's.</exception>
    /// <exception cref="NpgsqlException">The database failed.</exception>
    /// <remarks>The databases are migrated one after the other, and the report is that of all.</remarks>
    public async Task<FleetReport> MigrateAsync(CancellationToken ct = default)
    {
        await PrepareAsync(ct);
        var report = await fleet.RunAsync(new(), ct);
        if (tenancy.Database is not null || tenancy.Databases.Count == 0)
        {
            return report;
        }

        await using var scope = scopes.CreateAsyncScope();
        foreach (var database in scope.ServiceProvider.GetRequiredService<TenantDatabases>().Others)
        {
            report = report.With(await database.GetRequiredService<Tenants>().MigrateAsync(ct));
        }

        return report;
    }

    /// <summary>Makes the library's own tables if they aren't there.</summary>
    internal async Task PrepareAsync(CancellationToken ct)
    {
        await TenantPlaceholder.RefuseIfItExistsAsync(database, ct);
        await using var scope = scopes.CreateAsyncScope();
        await TenancyTables.EnsureAsync(database, scope.ServiceProvider.GetService<RegistryKind>(), tenancy, ct);
        await JoinedTables.EnsureAsync(database, tenancy, ct);
    }

    private async Task<IReadOnlyList<TenantSummary>> SummariesAsync(
        IReadOnlyList<TenantEntry> entries, CancellationToken ct)
    {
        var listings = await RegistryLookup.ListAsync(database, entries, ct);
        if (tenancy.Databases.Count > 0)
        {
            await using var scope = scopes.CreateAsyncScope();
            listings = await RegistryLookup.ElsewhereAsync(
                scope.ServiceProvider.GetRequiredService<TenantDatabases>(), listings, ct);
        }

        await directory.LearnAsync(listings, ct);
        return
        [
            .. entries.Zip(listings, (entry, listing) =>
                new TenantSummary(entry, listing.Version, directory.AvailabilityOf(listing))),
        ];
    }

    /// <exception cref="TenantUnavailableException">There is no such tenant, or it isn't served now.</exception>
    internal async Task<Tenant> FindAsync(string slug, CancellationToken ct)
    {
        if (await directory.FindAsync(slug, ct) is not { } listing)
        {
            throw new TenantUnavailableException(slug, null);
        }

        return directory.AvailabilityOf(listing) is var availability and not Availability.Served
            ? throw new TenantUnavailableException(slug, availability)
            : listing.Tenant;
    }

    internal TenantScope Open(Tenant tenant) => new(scopes.CreateAsyncScope(), tenant);
}

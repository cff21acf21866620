using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Tenancy.Leasing;
using Tenancy.Queries;

namespace Tenancy;

/// <summary>One tenant's rows, or its error.</summary>
/// <param name="Tenant">Who.</param>
/// <param name="Rows">Its rows; empty where it couldn't be read.</param>
/// <param name="Error">Why it couldn't be read: PostgreSQL's code and message. Null where it could.</param>
public sealed record TenantRows<TRow>(Tenant Tenant, IReadOnlyList<TRow> Rows, string? Error);

/// <summary>How many tenants are read at a time.</summary>
public sealed record AcrossTenantsOptions
{
    /// <summary>How many tenants one statement reads. Default 25.</summary>
    /// <remarks>
    /// Each takes a lock on every table and index it reads, for the statement's time: 25 times 10 of them are 250 of
    /// the server's 6,400 by default.
    /// </remarks>
    public int ChunkSize { get; init; } = 25;

    /// <summary>
    /// How many statements run at once, each over a connection of its own. Default 2: a report is no reason to keep
    /// requests waiting.
    /// </summary>
    public int Connections { get; init; } = 2;
}

/// <summary>
/// Answers one flat LINQ projection for many tenants, for operators' reports: UNION ALL over a chunk of schemas in
/// schema order, a statement per chunk. It serves no tenant, and refuses to work in a scope that does.
/// </summary>
/// <typeparam name="TContext">A tenant context.</typeparam>
public sealed class AcrossTenants<TContext>(
    IDbContextFactory<TContext> contexts, CurrentTenant current) where TContext : DbContext
{
    /// <summary>
    /// Reads in schema order, one database after the other. A chunk's tenants appear when its statement has succeeded;
    /// one that fails is halved until only the tenants at fault are left, which appear with their
    /// <see cref="TenantRows{TRow}.Error"/>.
    /// </summary>
    /// <param name="tenants">Whom to read for, in any order.</param>
    /// <param name="projection">The same query for each: rows of numbers, texts and dates, no entities and no
    /// collections.</param>
    /// <param name="options">See there; null for the defaults.</param>
    /// <param name="ct">Ends the reading.</param>
    /// <exception cref="InvalidOperationException">The scope serves a tenant; the row isn't flat; or the context
    /// retries, which would buffer rows.</exception>
    /// <exception cref="NpgsqlException">The first database failed: connection lost, shutting down, out of resources.
    /// What appeared is right.</exception>
    public async IAsyncEnumerable<TenantRows<TRow>> ReadAsync<TRow>(
        IEnumerable<Tenant> tenants, Func<TContext, IQueryable<TRow>> projection, AcrossTenantsOptions? options = null,
        [EnumeratorCancellation] CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(tenants);
        ArgumentNullException.ThrowIfNull(projection);
        options ??= new();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.ChunkSize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Connections, 1);
        RefuseTenantScope();
        using var span = TenancyTelemetry.Start(TenancyTelemetry.ReadAcrossTenants);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var running = new Queue<Task<List<TenantRows<TRow>>>>();
        try
        {
            // A statement is sent to one database. Without a name, the first one, comes first.
            foreach (var chunk in tenants.OrderBy(tenant => tenant.Schema)
                .GroupBy(tenant => tenant.Database).OrderBy(group => group.Key, StringComparer.Ordinal)
                .SelectMany(group => group.Chunk(options.ChunkSize)))
            {
                running.Enqueue(ReadChunkAsync(chunk, projection, stop.Token));
                if (running.Count < options.Connections)
                {
                    continue;
                }

                foreach (var tenant in await running.Dequeue())
                {
                    yield return tenant;
                }
            }

            while (running.TryDequeue(out var chunk))
            {
                foreach (var tenant in await chunk)
                {
                    yield return tenant;
                }
            }
        }
        finally
        {
            // Whoever stopped listening wants nothing to go on behind his back.
            await stop.CancelAsync();
            await Task.WhenAll(running)
                .ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously,
                    TaskScheduler.Default);
        }
    }

    private void RefuseTenantScope()
    {
        if (current.IsChosen)
        {
            throw new InvalidOperationException(
                $"This scope serves '{current.Value.Slug}', and what serves one tenant never reads another's rows: " +
                "read across tenants from operators' endpoints, which choose none.");
        }
    }

    private async Task<List<TenantRows<TRow>>> ReadChunkAsync<TRow>(
        Tenant[] tenants, Func<TContext, IQueryable<TRow>> projection, CancellationToken ct)
    {
        RefuseTenantScope();
        try
        {
            return await ReadAllAsync(tenants, projection, ct);
        }
        catch (TenantUnavailableException unknown)
        {
            return [.. tenants.Select(tenant => new TenantRows<TRow>(tenant, [], unknown.Message))];
        }
        catch (Exception error) when (tenants[0].Database is not null && error.OfTheServer() is not null)
        {
            // The tenants of a database that is gone, and nobody else. EF wraps what Npgsql says.
            return [.. tenants.Select(tenant => new TenantRows<TRow>(
                tenant, [], $"The database '{tenant.Database}' can't be reached: {error.OfTheServer()!.Message}"))];
        }
        // EF wraps the error of a lost node, because another try might find it again.
        catch (Exception error) when (error.Said() is { } said && said.IsTheSchemasOwn())
        {
            if (tenants.Length == 1)
            {
                return [new(tenants[0], [], error.Words())];
            }

            var half = tenants.Length / 2;
            return
            [
                .. await ReadChunkAsync(tenants[..half], projection, ct),
                .. await ReadChunkAsync(tenants[half..], projection, ct),
            ];
        }
    }

    private async Task<List<TenantRows<TRow>>> ReadAllAsync<TRow>(
        Tenant[] tenants, Func<TContext, IQueryable<TRow>> projection, CancellationToken ct)
    {
        await using var context = await contexts.CreateDbContextAsync(ct);
        RefuseRetries(context);
        // The same key in two tenants is two entities, in what a projection calls, too.
        context.ChangeTracker.QueryTrackingBehavior = QueryTrackingBehavior.NoTracking;
        var query = projection(context);
        FlatRows.RefuseOthers(context, query);
        var chunk = new TenantChunk(tenants);
        TenantBinding.Of(context).Bind(chunk);
        var rows = tenants.Select(_ => new List<TRow>()).ToList();
        await foreach (var row in query.AsAsyncEnumerable().WithCancellation(ct))
        {
            rows[chunk.Place].Add(row);
        }

        return [.. tenants.Select((tenant, place) => new TenantRows<TRow>(tenant, rows[place], null))];
    }

    private static void RefuseRetries(TContext context)
    {
        if (context.Database.CreateExecutionStrategy().RetriesOnFailure)
        {
            throw new InvalidOperationException(
                "The context retries on failure, which buffers rows before it can be told whose they are: register " +
                "it without EnableRetryOnFailure.");
        }
    }
}

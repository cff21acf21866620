using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Tenancy;

/// <summary>
/// Serves tenants outside of requests: for queues, hubs, jobs. Each piece of work has a scope of its own, whose tenant
/// is chosen as a request's is.
/// </summary>
public sealed class Tenants(
    [FromKeyedServices(TenancyOptions.OwnerKey)] NpgsqlDataSource database, TenantDirectory directory,
    IServiceScopeFactory scopes, TenancyOptions options)
{
    private const int Page = 500;

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
    /// <exception cref="NpgsqlException">The ledger or the registry can't be read.</exception>
    /// <exception cref="OperationCanceledException">It was ended.</exception>
    public async Task<ForEachTenantReport> ForEachAsync(
        Func<TenantScope, CancellationToken, Task> work, ForEachTenantOptions? options = null,
        CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        options ??= new();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Parallel, 1);
        var (done, failed, skipped) = (0, new List<TenantFailure>(), new List<TenantUnavailableException>());
        var running = new Queue<(SchemaName Schema, Task<Outcome> Work)>();
        try
        {
            await foreach (var (schema, slug) in SlugsAsync(options.After, ct))
            {
                running.Enqueue((schema, DoAsync(slug, work, ct)));
                if (running.Count == options.Parallel)
                {
                    await FinishFirstAsync();
                }
            }

            while (running.Count > 0)
            {
                await FinishFirstAsync();
            }
        }
        finally
        {
            // Nobody works on for a caller who has gone.
            await ((Task)Task.WhenAll(running.Select(one => one.Work)))
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return new(done, failed, skipped);

        async Task FinishFirstAsync()
        {
            // It stays in the queue until it has ended, for who waits for all that is in hand.
            var outcome = await running.Peek().Work;
            var schema = running.Dequeue().Schema;
            if (outcome.Failure is { } failure)
            {
                failed.Add(failure);
            }
            else if (outcome.Unavailable is { } unavailable)
            {
                skipped.Add(unavailable);
            }
            else
            {
                done++;
            }

            options.Reached?.Invoke(schema);
        }
    }

    private async Task<Outcome> DoAsync(
        string slug, Func<TenantScope, CancellationToken, Task> work, CancellationToken ct)
    {
        Tenant tenant;
        try
        {
            tenant = await FindAsync(slug, ct);
        }
        catch (TenantUnavailableException unavailable)
        {
            return new(null, unavailable);
        }

        try
        {
            await using var scope = Open(tenant);
            await work(scope, ct);
            return new(null, null);
        }
        catch (Exception e) when (!(e is OperationCanceledException && ct.IsCancellationRequested))
        {
            return new(new(tenant, e), null);
        }
    }

    private async Task<Tenant> FindAsync(string slug, CancellationToken ct)
    {
        if (await directory.FindAsync(slug, ct) is not { } listing)
        {
            throw new TenantUnavailableException(slug, null);
        }

        return directory.AvailabilityOf(listing) is var availability and not Availability.Served
            ? throw new TenantUnavailableException(slug, availability)
            : listing.Tenant;
    }

    private TenantScope Open(Tenant tenant) => new(scopes.CreateAsyncScope(), tenant);

    /// <summary>
    /// All tenants of the ledger that the registry knows, in the order of their schemas, a page at a time.
    /// </summary>
    private async IAsyncEnumerable<(SchemaName Schema, string Slug)> SlugsAsync(
        SchemaName? after, [EnumeratorCancellation] CancellationToken ct)
    {
        var find = options.FindSlugs ?? throw new InvalidOperationException(
            "TenancyOptions.FindSlugs isn't set: there is no way from a schema to its tenant.");
        while (true)
        {
            IReadOnlyDictionary<SchemaName, string> slugs;
            List<SchemaName> schemas;
            await using (var ask = database.CreateCommand(
                $"SELECT schema FROM tenancy.schemas WHERE {LedgerModel.Migrated} AND state <> 'spare' " +
                "AND schema > $1 ORDER BY schema LIMIT $2"))
            {
                ask.Parameters.Add(Ledger.Text(after?.Value ?? ""));
                ask.Parameters.Add(new NpgsqlParameter<int> { TypedValue = Page });
                schemas = await ask.SchemasAsync(ct);
            }

            if (schemas.Count == 0)
            {
                yield break;
            }

            await using (var scope = scopes.CreateAsyncScope())
            {
                slugs = await find(scope.ServiceProvider, schemas, ct);
            }

            foreach (var schema in schemas)
            {
                if (slugs.TryGetValue(schema, out var slug))
                {
                    yield return (schema, slug);
                }
            }

            after = schemas[^1];
        }
    }

    private sealed record Outcome(TenantFailure? Failure, TenantUnavailableException? Unavailable);
}

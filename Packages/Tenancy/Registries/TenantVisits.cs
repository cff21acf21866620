using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy.Ledgers;

namespace Tenancy.Registries;

/// <summary>One piece of work for every tenant: see <see cref="Tenants.ForEachAsync"/>.</summary>
internal sealed class TenantVisits(
    Tenants tenants, IReadOnlyList<NpgsqlDataSource> databases, IServiceScopeFactory scopes, TenancyOptions tenancy)
{
    private const int Page = 500;

    public async Task<ForEachTenantReport> RunAsync(
        Func<TenantScope, CancellationToken, Task> work, ForEachTenantOptions options, CancellationToken ct)
    {
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
            tenant = await tenants.FindAsync(slug, ct);
        }
        catch (TenantUnavailableException unavailable)
        {
            return new(null, unavailable);
        }

        try
        {
            await using var scope = tenants.Open(tenant);
            await work(scope, ct);
            return new(null, null);
        }
        catch (Exception e) when (!(e is OperationCanceledException && ct.IsCancellationRequested))
        {
            return new(new(tenant, e), null);
        }
    }

    /// <summary>
    /// All tenants of the ledgers that the registry knows, in the order of their schemas, a page at a time. The error
    /// of a ledger that can't be read is thrown at the end, after the other databases' tenants.
    /// </summary>
    private async IAsyncEnumerable<(SchemaName Schema, string Slug)> SlugsAsync(
        SchemaName? after, [EnumeratorCancellation] CancellationToken ct)
    {
        var find = tenancy.FindSlugs ?? throw new InvalidOperationException(
            "TenancyOptions.FindSlugs isn't set: there is no way from a schema to its tenant.");
        var left = databases.ToList();
        ExceptionDispatchInfo? failure = null;
        while (true)
        {
            IReadOnlyDictionary<SchemaName, string> slugs;
            var pages = new List<List<SchemaName>>();
            foreach (var database in left.ToList())
            {
                try
                {
                    pages.Add(await PageAsync(database, after, ct));
                }
                catch (NpgsqlException e) when (databases.Count > 1)
                {
                    failure ??= ExceptionDispatchInfo.Capture(e);
                    left.Remove(database);
                }
            }

            // What comes after the end of a full page may not be the next one of all.
            var end = pages.Where(page => page.Count == Page).Select(page => (SchemaName?)page[^1]).Min();
            var schemas = pages.SelectMany(page => page)
                .Where(schema => end is null || schema.CompareTo(end.Value) <= 0).Order().ToList();
            if (schemas.Count == 0)
            {
                failure?.Throw();
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

    private static async Task<List<SchemaName>> PageAsync(
        NpgsqlDataSource database, SchemaName? after, CancellationToken ct)
    {
        await using var ask = database.CreateCommand(
            $"SELECT schema FROM tenancy.schemas WHERE {LedgerModel.Migrated} AND state <> 'spare' " +
            "AND schema > $1 ORDER BY schema LIMIT $2");
        ask.Parameters.Add(LedgerTable.Text(after?.Value ?? ""));
        ask.Parameters.Add(new NpgsqlParameter<int> { TypedValue = Page });
        return await ask.SchemasAsync(ct);
    }

    private sealed record Outcome(TenantFailure? Failure, TenantUnavailableException? Unavailable);
}

using Microsoft.Extensions.DependencyInjection;
using System.Collections.Concurrent;
using Data.Invoicing;
using Tenancy;

namespace Tests.Integration.Isolation;

/// <summary>
/// Requests of many customers at once, chosen at random, each of which looks at every row it is given.
/// </summary>
internal sealed class LeakRun(IReadOnlyList<Tenant> tenants, IServiceProvider services,
    Func<CancellationToken, Task> endSomeBackend, int seed) : IDisposable
{
    private const int AtOnce = 12;
    private const int OneInIsCancelled = 12;

    // Who holds one connection and waits for a second could wait for ever if all did.
    private readonly SemaphoreSlim _mayHoldTwo = new(1);
    private int _served;
    private int _sleepers;

    /// <summary>Rows that were given to somebody else than their owner.</summary>
    public ConcurrentBag<string> Strangers { get; } = [];

    /// <summary>How requests ended, and how often.</summary>
    public ConcurrentDictionary<string, int> Outcomes { get; } = [];

    public Books Books { get; } = new();

    /// <summary>Gives every customer a few rows, so that a read that finds nothing is wrong, too.</summary>
    public async Task BeginAsync(CancellationToken ct)
    {
        foreach (var tenant in tenants)
        {
            await using var db = services.GetRequiredService<TenantContextFactory<InvoicingContext>>().Create(tenant);
            for (var i = 0; i < 3; i++)
            {
                var entry = Books.Open(tenant, $"first {i}");
                db.Invoices.Add(Rows.Invoice(tenant, Rows.Contact(entry, "first")));
                await entry.WriteAsync("first", () => db.SaveChangesAsync(ct));
            }

            db.Contacts.Add(new Contact { Name = Rows.Text(tenant, Counter.Name), Email = "0" });
            await db.SaveChangesAsync(ct);
            Books.CounterOf(tenant);
        }
    }

    /// <summary>Serves this many requests more.</summary>
    /// <param name="requests">How many.</param>
    /// <param name="without">What is not to happen among them.</param>
    /// <param name="ct">Ends it.</param>
    public async Task ServeAsync(int requests, Without without, CancellationToken ct)
    {
        await Parallel.ForEachAsync(
            Enumerable.Range(_served, requests),
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = ct },
            (number, token) => ServeOneAsync(number, without, token));
        _served += requests;
    }

    private async ValueTask ServeOneAsync(int number, Without without, CancellationToken ct)
    {
        // Its own, so that a request does the same whatever the others do.
        var random = new Random(HashCode(number));
        var tenant = tenants[random.Next(tenants.Count)];
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        if (random.Next(OneInIsCancelled) == 0 && without != Without.Cancellations
            && !LeakRequest.Outlives(number, without))
        {
            patience.CancelAfter(TimeSpan.FromMilliseconds(random.Next(6)));
        }

        string outcome;
        try
        {
            await using var scope = services.CreateAsyncScope();
            // As a handler does who takes the context for its own: the scope ends it as well.
            await using var db = ContextOf(scope, tenant);
            var request = new LeakRequest(this, without, db, tenant, number, random, patience.Token);
            outcome = await request.ServeAsync();
        }
        catch (Exception problem) when (!ct.IsCancellationRequested && Disturbance.Of(problem) is { } disturbance)
        {
            outcome = disturbance;
        }

        Outcomes.AddOrUpdate(outcome, 1, (_, count) => count + 1);
    }

    /// <summary>Leases a context of another customer for as long as <paramref name="both"/> takes.</summary>
    public async Task WithAnotherAsync(Random random, Func<InvoicingContext, Tenant, Task> both, CancellationToken ct)
    {
        await _mayHoldTwo.WaitAsync(ct);
        try
        {
            var other = tenants[random.Next(tenants.Count)];
            await using var scope = services.CreateAsyncScope();
            var db = ContextOf(scope, other);
            await both(db, other);
        }
        finally
        {
            _mayHoldTwo.Release();
        }
    }

    private static InvoicingContext ContextOf(AsyncServiceScope scope, Tenant tenant)
    {
        scope.ServiceProvider.GetRequiredService<CurrentTenant>().Choose(tenant);
        return scope.ServiceProvider.GetRequiredService<InvoicingContext>();
    }

    public void Dispose() => _mayHoldTwo.Dispose();

    /// <summary>
    /// As long as somebody sleeps, no backend is ended: on a fast machine one that sleeps for a second would hardly
    /// ever wake up.
    /// </summary>
    public async Task<bool> EndSomeBackendAsync(CancellationToken ct)
    {
        if (Volatile.Read(ref _sleepers) > 0)
        {
            return false;
        }

        await endSomeBackend(ct);
        return true;
    }

    /// <summary>Sleeps undisturbed.</summary>
    public async Task SleepAsync(Func<Task> sleep)
    {
        Interlocked.Increment(ref _sleepers);
        try
        {
            await sleep();
        }
        finally
        {
            Interlocked.Decrement(ref _sleepers);
        }
    }

    private int HashCode(int number) => unchecked((seed * 397) ^ (number * 1_000_003));
}

/// <summary>What doesn't happen in a part of a run.</summary>
internal enum Without
{
    Nothing,

    /// <summary>Neither by token nor by a command's timeout: nobody asks the server to cancel.</summary>
    Cancellations,

    /// <summary>No backend is ended.</summary>
    BrokenConnections,
}

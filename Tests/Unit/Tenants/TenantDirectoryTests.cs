using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Unit.Tenants;

/// <summary>What the directory remembers, and what a change of a tenant makes of it.</summary>
public sealed class TenantDirectoryTests : IDisposable
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static readonly CompiledMigrations Build = new(["1_Initial"], [], () => throw new NotSupportedException());

    private readonly NpgsqlDataSource _nowhere = NpgsqlDataSource.Create("Host=nowhere.invalid");
    private readonly Queue<TaskCompletionSource<TenantListing?>> _answers = new();
    private readonly SemaphoreSlim _asked = new(0);

    [Fact]
    public async Task An_answer_that_was_asked_for_before_a_change_is_not_kept()
    {
        var directory = Directory();
        var (old, fresh) = (Listing("customer_old"), Listing("customer_new"));
        var (before, after) = (Answer(), Answer());

        var early = directory.FindAsync("acme", Ct).AsTask();
        await _asked.WaitAsync(Ct);
        // The registry has answered, the answer is on its way, and the slug passes to another customer.
        await directory.ForgetAsync("acme", Ct);
        before.SetResult(old);
        after.SetResult(fresh);

        Assert.Equal(fresh, await directory.FindAsync("acme", Ct));
        Assert.Equal(fresh, await early);
        Assert.Equal(fresh, await directory.FindAsync("acme", Ct));
        Assert.Empty(_answers);
    }

    [Fact]
    public async Task Who_asks_after_a_change_does_not_wait_for_the_answer_from_before()
    {
        var directory = Directory();
        var fresh = Listing("customer_new");
        var (before, after) = (Answer(), Answer());

        var early = directory.FindAsync("acme", Ct).AsTask();
        await _asked.WaitAsync(Ct);
        await directory.ForgetAsync("acme", Ct);
        after.SetResult(fresh);

        // The deadline is for a directory that waits for ever.
        Assert.Equal(fresh, await directory.FindAsync("acme", Ct).AsTask().WaitAsync(TimeSpan.FromMinutes(1), Ct));
        Assert.False(early.IsCompleted);
        before.SetResult(null);
        Assert.Equal(fresh, await early);
    }

    /// <summary>A few share the forgotten one's place in the memory, by the hashes of their slugs.</summary>
    [Fact]
    public async Task A_change_of_one_tenant_leaves_most_others_remembered()
    {
        var directory = Directory();
        var listing = Listing("customer_globex");
        for (var i = 0; i < 200; i++)
        {
            Answer().SetResult(listing);
        }

        for (var i = 0; i < 100; i++)
        {
            await directory.FindAsync($"globex-{i}", Ct);
        }

        await directory.ForgetAsync("acme", Ct);
        for (var i = 0; i < 100; i++)
        {
            await directory.FindAsync($"globex-{i}", Ct);
        }

        Assert.InRange(_answers.Count, 90, 100);
    }

    public void Dispose()
    {
        _nowhere.Dispose();
        _asked.Dispose();
    }

    private TenantDirectory Directory()
    {
        var services = new ServiceCollection();
        services.AddHybridCache();
        var provider = services.BuildServiceProvider();
        var options = new TenancyOptions
        {
            FindTenant = (_, _, _) =>
            {
                var answer = _answers.Dequeue();
                _asked.Release();
                return answer.Task;
            },
        };
        return new(provider.GetRequiredService<HybridCache>(), provider.GetRequiredService<IServiceScopeFactory>(),
            options, new SchemaVersions(_nowhere, Build), new(provider, services, options), metrics: null);
    }

    private TaskCompletionSource<TenantListing?> Answer()
    {
        var answer = new TaskCompletionSource<TenantListing?>(TaskCreationOptions.RunContinuationsAsynchronously);
        _answers.Enqueue(answer);
        return answer;
    }

    private static TenantListing Listing(string schema) =>
        new(new(Guid.CreateVersion7(), "acme", SchemaName.Parse(schema)), SchemaState.Ready, Build.Target);
}

using System.Runtime.CompilerServices;
using Npgsql;

namespace Tenancy.Backends;

/// <summary>
/// How much memory the server processes behind all pools of one host may have together:
/// <see cref="TenancyOptions.BackendMemory"/>. Each open connection may have an equal share.
/// </summary>
internal sealed class BackendBudget(TenancyOptions options)
{
    private static readonly ConditionalWeakTable<NpgsqlDataSource, BackendBudget> s_budgets = [];

    private readonly Lock _lock = new();
    private volatile NpgsqlDataSource[] _pools = [];
    private long _recycled;

    /// <summary>How many connections were closed for their memory.</summary>
    public long Recycled => Interlocked.Read(ref _recycled);

    /// <summary>What a connection may have now, in bytes.</summary>
    public long Share
    {
        get
        {
            var open = 0;
            foreach (var pool in _pools)
            {
                open += NpgsqlConnectors.Open(pool);
            }

            return Math.Max(options.LeastBackendShare, options.BackendMemory / Math.Max(1, open));
        }
    }

    /// <summary>Null for a data source that the library hasn't made.</summary>
    public static BackendBudget? Of(NpgsqlDataSource source) =>
        s_budgets.TryGetValue(source, out var budget) ? budget : null;

    /// <summary>One more pool that shares the memory.</summary>
    public void Add(NpgsqlDataSource pool)
    {
        s_budgets.AddOrUpdate(pool, this);
        lock (_lock)
        {
            _pools = [.. _pools, pool];
        }
    }

    public bool IsOver(Backend backend) =>
        options.BackendMemory > 0 && backend.Bytes - Backend.Fresh > (Share - Backend.Fresh) * backend.Patience;

    public void Count() => Interlocked.Increment(ref _recycled);
}

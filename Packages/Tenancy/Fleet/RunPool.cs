using Npgsql;

namespace Tenancy.Fleet;

/// <summary>The connections that a run needs.</summary>
internal static class RunPool
{
    /// <summary>
    /// A worker that waited for a connection in vain, with one in its hands, would look like a database that is away.
    /// </summary>
    /// <param name="database">The owner's.</param>
    /// <param name="plan">Says how many workers there are.</param>
    /// <param name="each">How many connections a worker needs; the heartbeat needs one more.</param>
    /// <param name="what">What they are needed for.</param>
    /// <exception cref="ArgumentException">The pool is too small.</exception>
    public static void RefuseTooSmall(NpgsqlDataSource database, FleetPlan plan, int each, string what)
    {
        var needed = 1 + (each * plan.Workers);
        if (new NpgsqlConnectionStringBuilder(database.ConnectionString) is { Pooling: true, MaxPoolSize: var pool }
            && pool < needed)
        {
            throw new ArgumentException(
                $"{plan.Workers} workers and the run's heartbeat need {needed} connections {what}, and " +
                $"the pool has {pool}: raise Maximum Pool Size in the owner's connection string, or take " +
                "fewer workers.",
                nameof(plan));
        }
    }
}

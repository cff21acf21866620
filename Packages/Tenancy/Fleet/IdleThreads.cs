namespace Tenancy.Fleet;

/// <summary>
/// The threads of .NET's pool. One without work asks for some a few dozen times before it sleeps, which answers a
/// little sooner where a processor is idle anyway. A job waits for the database most of the time: with PostgreSQL on
/// the same processors, or under a container's limit, that asking takes processor time from the work (decision 26).
/// </summary>
internal static class IdleThreads
{
    // .NET's own name, which its runtime configuration has, too.
    private const string Spins = "System.Threading.ThreadPool.UnfairSemaphoreSpinLimit";

    /// <summary>
    /// They sleep at once, unless the program is configured otherwise. To be called before anything uses the pool,
    /// which reads this once.
    /// </summary>
    public static void Sleep()
    {
        if (AppContext.GetData(Spins) is null)
        {
            AppContext.SetData(Spins, 0);
        }
    }
}

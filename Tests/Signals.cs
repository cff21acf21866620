using Tenancy.Postgres.Cluster;
using Xunit;

namespace Tests;

/// <summary>What signals a test may send.</summary>
internal static class Signals
{
    /// <summary>
    /// Skips the test if the processes that it starts don't hear <paramref name="signal"/>: started in the background
    /// of a script, or by nohup, a run ignores it, and so do its children; no shell can trap it then.
    /// </summary>
    /// <param name="signal">Without SIG, e.g. INT.</param>
    public static void SkipWhereIgnored(string signal) => Assert.SkipWhen(
        Command.Run(TimeSpan.FromSeconds(30), "sh", "-c", $"kill -s {signal} $$; echo ignored").Output == "ignored",
        $"Whoever started this run has it ignore SIG{signal}.");
}

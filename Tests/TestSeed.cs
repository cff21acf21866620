using Xunit;

namespace Tests;

/// <summary>
/// The seed of what a test does at random: a new one for each run, unless the environment variable TEST_SEED repeats
/// another run's.
/// </summary>
internal static class TestSeed
{
    /// <summary>Says the seed among the test's output, which is shown when the test fails.</summary>
    public static int Say()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("TEST_SEED"), out var repeated)
            ? repeated
            : Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"To do the same again: TEST_SEED={seed}");
        return seed;
    }
}

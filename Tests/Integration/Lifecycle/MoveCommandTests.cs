using Tests.Integration.Fleet;
using Xunit;

namespace Tests.Integration.Lifecycle;

/// <summary>The commands of Citus where Citus isn't.</summary>
public sealed class MoveCommandTests(App app)
{
    [Fact]
    public async Task A_database_without_Citus_moves_nobody_and_the_message_says_what_else_there_is()
    {
        Assert.SkipWhen(
            Environment.GetEnvironmentVariable("TEST_CITUS") is { Length: > 0 },
            "With TEST_CITUS the tests' database may be on Citus.");
        var customer = await app.NewCustomerAsync();

        var (code, output) = await Job.RunAsync(
            app.ConnectionString, "Production", "move", customer.Tenant.Slug, "--to", "worker-1:5432");

        Assert.Equal(64, code);
        Assert.Contains("isn't on a Citus cluster (it lacks the extension citus)", output, StringComparison.Ordinal);
        Assert.Contains("Export and import", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "Nothing is wrong with this build.", "--engine", "citus")]
    [InlineData(0, "Nothing is wrong with this build.", "--engine", "Citus", "--unsafe-triggers")]
    [InlineData(64, "--engine", "--engine", "oracle")]
    public async Task The_sample_is_fit_for_Citus(int code, string words, params string[] arguments)
    {
        // Nobody listens there, and nobody is asked.
        var run = await Job.RunAsync(
            "Host=127.0.0.1;Port=1;Username=a;Password=b", "Production", ["check", .. arguments]);

        Assert.True(run.ExitCode == code, $"{run}");
        Assert.Contains(words, run.Output, StringComparison.Ordinal);
    }
}

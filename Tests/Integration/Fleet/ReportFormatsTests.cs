using System.Text.Json.Nodes;
using Xunit;

namespace Tests.Integration.Fleet;

/// <summary>The job's reports for people, programs and pages, and the command that makes something to report.</summary>
public sealed class ReportFormatsTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Demo_customers_are_added_when_asked_for_and_reported_in_three_forms()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        var before = await Job.RunAsync(database, "Production", "demo");
        Assert.Equal(0, (await Job.RunAsync(database, "Production")).ExitCode);

        var added = await Job.RunAsync(database, "Production", "demo");
        var again = await Job.RunAsync(database, "Production", "demo");
        var text = await Job.RunAsync(database, "Production", "status");
        var json = await Job.RunAsync(database, "Production", "status", "--format", "json");
        var markdown = await Job.RunAsync(database, "Production", "status", "--format", "markdown");

        Assert.Equal(2, before.ExitCode);
        Assert.Contains("run migrate first", before.Output, StringComparison.Ordinal);
        Assert.Contains("Added acme, globex, initech, with invoices.", added.Output, StringComparison.Ordinal);
        Assert.Contains("The demo customers exist already.", again.Output, StringComparison.Ordinal);
        Assert.Contains("3 schemas, 0 behind, 0 failed.", text.Output, StringComparison.Ordinal);
        Assert.Equal(3, (int)JsonNode.Parse(json.Output)!["total"]!);
        Assert.Contains("**3 schemas**, **0** behind, **0** failed.", markdown.Output, StringComparison.Ordinal);
        Assert.Contains(
            "| ring | state | last migration | version | schemas |\n| --- | --- | --- | --- | --- |\n| 1 | ready |",
            markdown.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_format_that_is_none_is_sixty_four() =>
        Assert.Equal(
            64, (await Job.RunAsync("Host=127.0.0.1;Port=1", "Production", "status", "--format", "xml")).ExitCode);
}

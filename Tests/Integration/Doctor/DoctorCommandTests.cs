using System.Text.Json.Nodes;
using Tests.Integration.Fleet;
using Xunit;

namespace Tests.Integration.Doctor;

/// <summary>The job's command.</summary>
public sealed class DoctorCommandTests(App app)
{
    [Fact]
    public async Task It_ends_with_one_and_says_what_to_do_when_a_number_is_over_its_limit()
    {
        await using var database = await Examination.StartAsync(app);
        await database.CreateAsync("one");
        var well = await Job.RunAsync(database.ConnectionString, "Production", "doctor");
        await database.ExecuteAsync("""CREATE SCHEMA stray; CREATE TABLE stray."__EFMigrationsHistory" (x int)""");

        var text = await Job.RunAsync(database.ConnectionString, "Production", "doctor");
        var json = await Job.RunAsync(database.ConnectionString, "Production", "doctor", "--json");
        var markdown = await Job.RunAsync(database.ConnectionString, "Production", "doctor", "--format", "markdown");

        Assert.Equal((0, 1, 1, 1), (well.ExitCode, text.ExitCode, json.ExitCode, markdown.ExitCode));
        Assert.Contains(" 0 over the limit, ", well.Output, StringComparison.Ordinal);
        Assert.Contains(
            "Schemas without a tenant (orphan-schemas): over the limit", text.Output, StringComparison.Ordinal);
        Assert.Contains("  Find out whose they are.", text.Output, StringComparison.Ordinal);
        Assert.Contains("  stray", text.Output, StringComparison.Ordinal);
        var finding = Assert.Single(JsonNode.Parse(json.Output)!["findings"]!.AsArray(),
            one => (string)one!["id"]! == "orphan-schemas")!;
        Assert.Equal(("over", 1, 0, "stray"), ((string)finding["verdict"]!, (int)finding["value"]!,
            (int)finding["limit"]!, (string)finding["names"]![0]!));
        Assert.Contains(
            "| orphan-schemas | 1 | 0 | schemas | over the limit |", markdown.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_database_it_ends_with_two() => Assert.Equal(2,
        (await Job.RunAsync("Host=127.0.0.1;Port=1;Username=nobody", "Production", "doctor")).ExitCode);
}

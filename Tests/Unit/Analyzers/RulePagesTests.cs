using System.Text.RegularExpressions;
using Xunit;

namespace Tests.Unit.Analyzers;

/// <summary>The pages of the rules show what is warned of, and what isn't.</summary>
public sealed partial class RulePagesTests
{
    private static string Folder { get; } =
        Path.Combine(Path.GetDirectoryName(Projects.AppHost.ProjectPath)!, "docs", "rules");

    public static TheoryData<string> Pages =>
        [.. Directory.EnumerateFiles(Folder, "TEN*.md").Select(path => Path.GetFileNameWithoutExtension(path)).Order()];

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task A_page_has_an_example_that_is_warned_of_and_one_that_isnt(string rule)
    {
        var page = await File.ReadAllTextAsync(
            Path.Combine(Folder, $"{rule}.md"), TestContext.Current.CancellationToken);
        var examples = CSharp().Matches(page).Select(block => block.Groups[1].Value).ToList();

        Assert.Equal(2, examples.Count);
        Assert.Equal([rule], (await AnalyzedCode.WarningsAsync(AnalyzedCode.Shop + examples[0]))
            .Select(warning => warning.Id).Distinct());
        Assert.Empty(await AnalyzedCode.WarningsAsync(AnalyzedCode.Shop + examples[1]));
    }

    [Fact]
    public void Each_rule_has_a_page() =>
        Assert.Equal(AnalyzedCode.RuleIds.Order(), Pages.Select(row => row.Data).Order());

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex CSharp();
}

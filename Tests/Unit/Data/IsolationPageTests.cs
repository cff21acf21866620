using System.Reflection;
using System.Text.RegularExpressions;
using Tests.Integration.Isolation;
using Xunit;

namespace Tests.Unit.Data;

/// <summary>The table in docs/isolation.md claims tests: they exist, and no path is left out.</summary>
public sealed partial class IsolationPageTests
{
    [Fact]
    public void Every_path_and_every_test_of_the_table_exists()
    {
        var page = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "docs", "isolation.md"));
        var table = page[page.IndexOf("## Path by path",
            StringComparison.Ordinal)..page.IndexOf("## What can't be seen", StringComparison.Ordinal)];

        var paths = TenantPaths.Reads.Keys.Concat(TenantPaths.Writes.Keys).Concat(TenantPaths.Others.Keys).ToList();
        Assert.All(paths, path => Assert.True(Row(path).IsMatch(table), $"'{path}' is missing in docs/isolation.md."));

        var tests = Assembly.GetExecutingAssembly().GetTypes()
            .SelectMany(type => type.GetMethods().Select(method => method.Name).Append(type.Name)).ToHashSet();
        var claimed = Name().Matches(table).Select(match => match.Value.Trim('`'))
            .Where(name => name.Contains('_', StringComparison.Ordinal)
                || name.EndsWith("Tests", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(claimed);
        Assert.All(claimed, name => Assert.Contains(name, tests));
    }

    private static Regex Row(string path) => new($@"[|;] {Regex.Escape(path)}( \||;)");

    [GeneratedRegex("`[A-Za-z_]+`")]
    private static partial Regex Name();
}

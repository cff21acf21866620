using System.Text.RegularExpressions;

namespace Tests.EndToEnd;

/// <summary>What docs/deploy.md tells operators to run.</summary>
internal static partial class DeployPage
{
    public static string Text { get; } = File.ReadAllText(
        Path.Combine(AppContext.BaseDirectory, "Deployment", "Files", "deploy.md"));

    /// <summary>The last block of shell commands under a heading.</summary>
    public static string Commands(string heading)
    {
        var section = Text.Split("\n## ").Single(part => part.StartsWith(heading + "\n", StringComparison.Ordinal));
        return Blocks().Matches(section)[^1].Groups[1].Value;
    }

    [GeneratedRegex("^```sh\n(.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Blocks();
}

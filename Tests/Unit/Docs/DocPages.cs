namespace Tests.Unit.Docs;

/// <summary>The pages for users: README files and what is under docs/.</summary>
internal static class DocPages
{
    public static string Root { get; } = Path.GetDirectoryName(Projects.AppHost.ProjectPath)!;

    /// <summary>Paths from the repository's folder.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        .. new[] { "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "Benchmarks/README.md", "templates/README.md" },
        .. Below("docs"), .. Below("Packages"),
    ];

    public static string Text(string page) => File.ReadAllText(Path.Combine(Root, page));

    public static bool Exists(string path) =>
        File.Exists(Path.Combine(Root, path)) || Directory.Exists(Path.Combine(Root, path));

    /// <summary>Of all files of that name below a folder.</summary>
    public static IEnumerable<string> Below(string folder, string pattern = "*.md") =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), pattern, SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Root, path)).Order(StringComparer.Ordinal);
}

namespace Tests;

/// <summary>
/// The solution's programs, where the build puts them beside this project's output. The copies among the tests' own
/// files lack what they need to run.
/// </summary>
internal static class BuiltProgram
{
    /// <param name="project">E.g. <c>Api</c>.</param>
    /// <returns>The full path of its assembly.</returns>
    public static string Of(string project) => Path.GetFullPath(Path.Combine(
        AppContext.BaseDirectory, "..", "..", project,
        Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), $"{project}.dll"));

    /// <summary>The <c>dotnet</c> that runs it.</summary>
    public static string Host { get; } =
        Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";
}

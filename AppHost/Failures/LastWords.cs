using System.Text.RegularExpressions;

namespace AppHost.Failures;

/// <summary>The lines of a log that say why a process ended.</summary>
internal static partial class LastWords
{
    private const int Most = 3;

    /// <param name="log">The whole log, oldest line first.</param>
    /// <param name="errors">Those of its lines that were written to standard error.</param>
    /// <returns>One to three lines without stack trace; none where the log has none.</returns>
    public static IReadOnlyList<string> Of(IEnumerable<string> log, params IEnumerable<string> errors)
    {
        var lines = Lines(log);

        // An exception that nobody caught is the last word of a .NET process.
        var unhandled = lines.FindLastIndex(line => line.StartsWith("Unhandled exception", StringComparison.Ordinal));
        if (unhandled >= 0)
        {
            return [Shortened(lines[unhandled])];
        }

        // .NET's console log: a line "crit: Category[0]", the message indented below, then perhaps the exception.
        if (lines.FindLastIndex(line => NetProblem().IsMatch(line)) is >= 0 and var logged)
        {
            var message = lines.ElementAtOrDefault(logged + 1);
            if (message?.StartsWith("      ", StringComparison.Ordinal) == true && !IsTrace(message))
            {
                return [Shortened(message)];
            }
        }

        var problems = lines.Where(line => PostgresProblem().IsMatch(line)).ToList();
        var said = problems.Count > 0 ? problems
            : Unlogged(Lines(errors) is { Count: > 0 } wrong ? wrong : lines).Where(line => !IsTrace(line));
        return [.. said.TakeLast(Most).Select(Shortened)];
    }

    /// <summary>
    /// What a program wrote beside .NET's console log. What it logged before it was killed says nothing of that.
    /// </summary>
    private static IEnumerable<string> Unlogged(IEnumerable<string> lines)
    {
        var logged = false;
        foreach (var line in lines.Where(line => !Orchestrator().IsMatch(line)))
        {
            logged = NetLog().IsMatch(line) || (logged && line.StartsWith("      ", StringComparison.Ordinal));
            if (!logged)
            {
                yield return line;
            }
        }
    }

    private static List<string> Lines(IEnumerable<string> log) =>
        [.. log.SelectMany(entry => entry.Split('\n')).Select(Clean).Where(line => line.Trim().Length > 0)];

    private static bool IsTrace(string line) => Trace().IsMatch(line);

    private static string Clean(string line) => Stamp().Replace(Colour().Replace(line, ""), "").TrimEnd();

    private static string Shortened(string line) =>
        line.Trim() is { Length: > 500 } text ? $"{text[..500]}..." : line.Trim();

    [GeneratedRegex(@"\x1B\[[0-9;]*m")]
    private static partial Regex Colour();

    // The orchestrator puts the time before each line.
    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z ?")]
    private static partial Regex Stamp();

    [GeneratedRegex(@"^(crit|fail): ")]
    private static partial Regex NetProblem();

    [GeneratedRegex(@"^(trce|dbug|info|warn|fail|crit): ")]
    private static partial Regex NetLog();

    // What the orchestrator itself did.
    [GeneratedRegex(@"^\[sys\] ")]
    private static partial Regex Orchestrator();

    // ERROR is about a client's statement.
    [GeneratedRegex(@"\b(FATAL|PANIC):  ")]
    private static partial Regex PostgresProblem();

    [GeneratedRegex(@"^\s*(at |--- End of)|^\s*[\w.]+Exception\b.*:")]
    private static partial Regex Trace();
}

namespace Api;

/// <summary>A search that people type.</summary>
internal static class Searching
{
    /// <summary>For ILIKE's third argument. Without it, EF says that nothing escapes anything.</summary>
    public const string Escape = @"\";

    /// <summary>For ILIKE: anything that contains the text, in which nothing stands for something else.</summary>
    public static string Pattern(string text) =>
        $"%{text.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("%", @"\%", StringComparison.Ordinal)
            .Replace("_", @"\_", StringComparison.Ordinal)}%";
}

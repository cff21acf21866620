using Tenancy.Sql;

namespace Tenancy.Citus;

/// <summary>A column of CREATE TABLE or of ADD COLUMN: <c>name type constraint ...</c></summary>
internal sealed class ColumnDefinition(IReadOnlyList<Lexeme> words)
{
    /// <summary>PostgreSQL's words for an integer with a sequence.</summary>
    private static readonly HashSet<string> Serial =
        ["smallserial", "serial2", "serial", "serial4", "bigserial", "serial8"];

    public string Name { get; } = words is [var name, ..] ? name.Text : "";

    public bool IsIdentity { get; } = WordReader.Has(words, "as", "identity");

    public bool IsSerial { get; } = words.Count > 1 && words[1].IsIdentifier && Serial.Contains(words[1].Text)
        && (words.Count == 2 || !words[2].Is('.'));

    public bool TakesNextValue { get; } = WordReader.Has(words, "default") && WordReader.Calls(words, "nextval");

    /// <summary>Whether its values come from a sequence.</summary>
    public bool HasSequence => IsIdentity || IsSerial || TakesNextValue;

    public bool IsPrimaryKey { get; } = WordReader.Has(words, "primary", "key");

    /// <summary>The name of CONSTRAINT name PRIMARY KEY; null where it has none.</summary>
    public string? KeyName { get; } =
        WordReader.Outside(words).FirstOrDefault(word => word.Word.Is("primary")).At is var at and > 1
            && words[at - 2].Is("constraint") ? words[at - 1].Text : null;

    /// <summary>Whether a constraint other than a foreign key has no <c>CONSTRAINT name</c> in front.</summary>
    public bool HasUnnamedConstraint { get; } = WordReader.Outside(words).Any(word =>
        word.Word is { Kind: LexemeKind.Word, Text: "primary" or "unique" or "check" } && IsUnnamed(words, word.At));

    /// <summary>Whether a foreign key has none.</summary>
    public bool HasUnnamedReference { get; } = WordReader.Outside(words).Any(word =>
        word.Word is { Kind: LexemeKind.Word, Text: "references" } && IsUnnamed(words, word.At));

    private static bool IsUnnamed(IReadOnlyList<Lexeme> words, int at) =>
        at > 1 && !(words[at - 2].Is("constraint") && words[at - 1].IsIdentifier);
}

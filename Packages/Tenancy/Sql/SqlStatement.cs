using System.Text;

namespace Tenancy.Sql;

/// <summary>One statement, as the guard has read it.</summary>
/// <param name="Words">Its lexemes, without the semicolon.</param>
/// <param name="Level">In how many bodies (a routine's, a DO block's) it stands; 0 for none.</param>
internal sealed record SqlStatement(IReadOnlyList<Lexeme> Words, int Level)
{
    private const int MostShown = 100;

    /// <summary>For people: without comments and line breaks, key words in lower case, the end cut off.</summary>
    public string Text
    {
        get
        {
            var text = new StringBuilder();
            for (var at = 0; at < Words.Count && text.Length <= MostShown; at++)
            {
                text.Append(at > 0 && IsApart(Words[at - 1], Words[at]) ? " " : "")
                    .Append(Words[at].Kind == LexemeKind.Quoted ? $"\"{Words[at].Text}\"" : Words[at].Text);
            }

            return (text.Length > MostShown ? $"{text.ToString(0, MostShown)}..." : text.ToString())
                .ReplaceLineEndings(" ");
        }
    }

    private static bool IsApart(Lexeme before, Lexeme word) =>
        !(before.Is('.') || word.Is('.') || word.Is(',') || word.Is(')') || before.Is('(')
            || before.Is(':') && word.Is(':') || word.Is(':') || before.Is(':'));
}

using Tenancy.Sql;

namespace Tenancy.Migrations;

/// <summary>
/// How many entries of the server's lock table a migration takes until its transaction ends. The table is shared by all
/// sessions (<c>max_locks_per_transaction</c> times connections): a transaction that fills it fails, and makes others
/// fail that have done nothing.
/// </summary>
/// <remarks>
/// Counted by statements, not by the catalog, so rather too many: a table is a lock on itself, on its toast table and
/// that one's index, and one for every
/// key, unique constraint and reference. PostgreSQL's manual, "Lock Management"; checked against pg_locks in the tests.
/// </remarks>
internal static class LockEstimate
{
    private const int Table = 3;
    private const int TableWithIndexes = 8;
    private const int Reference = 2;

    public static int Of(string sql)
    {
        var locks = 0;
        var start = 0;
        var lexemes = Lexeme.Of(sql);
        for (var at = 0; at <= lexemes.Count; at++)
        {
            if (at == lexemes.Count || lexemes[at].Is(';'))
            {
                locks += OfStatement(lexemes[start..at]);
                start = at + 1;
            }
        }

        return locks;
    }

    private static int OfStatement(List<Lexeme> statement)
    {
        var created = Count("primary") + Count("unique") + Reference * Count("references");
        return statement switch
        {
            [] => 0,
            [{ Text: "create" }, { Text: "table" }, ..] => Table + created + Count("identity") + Count("serial"),
            [{ Text: "create" }, ..] => 2,
            [{ Text: "drop" }, { Text: "table" or "schema" }, ..] => TableWithIndexes,
            [{ Text: "alter" }, { Text: "table" }, ..] => Table + created,
            [{ Text: "grant" or "revoke" }, ..] => 0,
            _ => 2,
        };

        int Count(string word) => statement.Count(lexeme => lexeme.Is(word));
    }
}

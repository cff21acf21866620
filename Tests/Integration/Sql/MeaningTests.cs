using CsCheck;
using Tenancy.Sql;
using Xunit;

namespace Tests.Integration.Sql;

/// <summary>
/// PostgreSQL decides what is an identifier and what is data. A failure prints the statement and CsCheck's seed; the
/// environment variable CsCheck_Seed repeats it.
/// </summary>
public sealed class MeaningTests(App app)
{
    private const int AtOnce = 25;

    private static readonly string[] Corners =
    [
        // Operators end where a comment begins, and nowhere else.
        "SELECT 1<\"__Tenant__\".one()", "SELECT 1--\"__Tenant__\".one()\n", "SELECT 1-/*\"*/\"__Tenant__\".one()",
        "SELECT 1+--'\n\"__Tenant__\".one()",
        "SELECT 1*/*/ '*/\"__Tenant__\".one()", "SELECT 1- -\"__Tenant__\".one()", "SELECT -\"__Tenant__\".one()::int",
        "SELECT @-\"__Tenant__\".one()",
        // Names with dollars, and dollars beside what is no name.
        "SELECT a$$ FROM(SELECT \"__Tenant__\".one()AS a$$)q",
        "SELECT a$b$,\"__Tenant__\".one() FROM(SELECT 1 AS a$b$)q",
        "SELECT \"a\"$$\"__Tenant__\"$$ FROM(SELECT 1 AS a)q",
        "SELECT 1$$\"__Tenant__\"$$", "SELECT 1e5$$\"__Tenant__\"$$", "SELECT 1.5e5$a$\"__Tenant__\"$a$",
        "SELECT 0x1F$$\"__Tenant__\"$$", "SELECT $1$$\"__Tenant__\"$$",
        "SELECT $1\"__Tenant__\"", "SELECT $1a,\"__Tenant__\".one()", "SELECT $a\"__Tenant__\"$a$",
        "SELECT 1E'\\' \"__Tenant__\"'", "SELECT 1e5E'\\' \"__Tenant__\"'", "SELECT 1a", "SELECT 1.a",
        "SELECT $a$ $b$ \"__Tenant__\" $b$ $a$,\"__Tenant__\".one()",
        "SELECT $a$ $a \"__Tenant__\" $A$ $a$,\"__Tenant__\".one()", "SELECT $$ $a$$,\"__Tenant__\".one(),$$ $$",
        "SELECT $a1$\"__Tenant__\"$a1$,\"__Tenant__\".one()",
        // Literals that go on after a line break, and those that don't.
        "SELECT 'a'\n'\"__Tenant__\"'", "SELECT 'a' '\"__Tenant__\"'", "SELECT E'a'\n'\\' \"__Tenant__\"'",
        "SELECT E'a'--'\n'\\' \"__Tenant__\"'", "SELECT E'a'/*\n*/'\\'",
        "SELECT E'a'\n--\n'\\' \"__Tenant__\"'", "SELECT E'a'\v\n'\\' \"__Tenant__\"'",
        "SELECT E'a'\u00a0\n'\\' \"__Tenant__\"'", "SELECT E'a'\n\v'\\' \"__Tenant__\"'",
        "SELECT U&'a'\n'\\0022'", "SELECT U&'a\\' || \"__Tenant__\".answer()",
        "SELECT N'a'\n'\\',\"__Tenant__\".answer()", "SELECT B'1'\n'0',\"__Tenant__\".one()", "SELECT X'a'--\n'b'",
        "SELECT E'a' 'b\\''", "SELECT 'a\\',\"__Tenant__\".answer()", "SELECT E'\\\\',\"__Tenant__\".answer()",
        "SELECT E'\\u0027\"__Tenant__\"'", "SELECT E'\\'", "SELECT e'\\''||\"__Tenant__\".answer()",
        // Escaped names and strings.
        "SELECT U&\"a\" UESCAPE '!' FROM(SELECT \"__Tenant__\".one()AS a)q",
        "SELECT U&'!0022__Tenant__!0022' UESCAPE '!'",
        "SELECT U&\"!0061\"\"__Tenant__\" UESCAPE '!' FROM (SELECT 1 AS \"a\"\"__Tenant__\")q",
        "SELECT u&\"a\"\"__Tenant__\"\"\" FROM(SELECT 1 AS \"a\"\"__Tenant__\"\"\")q",
        "SELECT u &\"__Tenant__\".one() FROM(SELECT 1 AS u)q", "SELECT U& \"__Tenant__\".one() FROM(SELECT 1 AS u)q",
        // White space, and what only looks like it; what never ends.
        "SELECT\f\"__Tenant__\".one()", "SELECT\v\"__Tenant__\".one()", "SELECT\u00a0\"__Tenant__\".one()",
        "SELECT\u3000 FROM(SELECT 1 AS\u3000)q,\"__Tenant__\".words", "SELECT\ufeff\"__Tenant__\".one()",
        "SELECT \"__Tenant__", "SELECT '\"__Tenant__\"", "SELECT /*\"__Tenant__\"", "SELECT $$\"__Tenant__\"",
        "SELECT \"\"\"__Tenant__\"", "SELECT \"__Tenant__\"\"\"", "SELECT \"\",\"__Tenant__\".one()",
        "SELECT /*/*\"*/\"*/\"__Tenant__\".one()", "SELECT /*/**/**/\"__Tenant__\".one()",
        "SELECT --\r\"__Tenant__\".one()", "SELECT 1--\u2028\"__Tenant__\"\n", "SELECT 1 --\u0085\"__Tenant__\"\n",
    ];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Corners_of_the_lexer_mean_the_same_with_the_placeholder_as_stamped()
    {
        await using var twins = await TwinDatabases.CreateAsync(app.Server, Ct);

        await CompareAsync(twins, Corners, new());
    }

    [Fact]
    public async Task Any_statement_means_the_same_with_the_placeholder_as_stamped()
    {
        await using var twins = await TwinDatabases.CreateAsync(app.Server, Ct);
        var seen = new Seen();

        await SqlSoup.Any.Array[AtOnce].SampleAsync(
            statements => CompareAsync(twins, statements, seen),
            iter: TestDepth.Of(500, 20_000) / AtOnce, threads: 2, print: _ => "The statement is named below.");

        // Were most of them refused, the test would say nothing about literals and comments.
        Assert.True(seen.Succeeded * 3 > seen.All, $"Only {seen.Succeeded} of {seen.All} statements were valid.");
        Assert.True(seen.NeedStamp * 4 > seen.All,
            $"Only {seen.NeedStamp} of {seen.All} statements were valid and named the placeholder.");
    }

    private static async Task CompareAsync(TwinDatabases twins, string[] statements, Seen seen)
    {
        var templates = statements.Select(SqlTemplate.Of).ToArray();
        var rewritten = templates.Select(template => template.Rewrite(TwinDatabases.Schema)).ToArray();
        var wanted = await twins.WithPlaceholderAsync(statements, Ct);
        var got = await twins.WithTenantAsync(rewritten, Ct);
        var unstamped = await twins.WithTenantAsync(statements, Ct);

        for (var i = 0; i < statements.Length; i++)
        {
            Interlocked.Increment(ref seen.All);
            if (IsEscapedPlaceholder(statements[i]) && !TwinDatabases.Succeeded(got[i]))
            {
                continue;
            }

            var same = TwinDatabases.WithoutSchema(wanted[i]) == TwinDatabases.WithoutSchema(got[i]);
            Assert.True(same, $"{statements[i]}\nmeans\n{wanted[i]}\nand rewritten\n{rewritten[i]}\nmeans\n{got[i]}");
            if (!TwinDatabases.Succeeded(wanted[i]))
            {
                continue;
            }

            Interlocked.Increment(ref seen.Succeeded);
            // Where the rewriter changed something, it was needed, unless the placeholder is a name of the statement's
            // own; where it changed nothing, it wasn't.
            if (!TwinDatabases.Succeeded(unstamped[i]))
            {
                Assert.True(templates[i].NamesTenant, statements[i]);
                Assert.Matches("^(3F000|42P01|42883|42704) ", unstamped[i]);
                Interlocked.Increment(ref seen.NeedStamp);
            }
        }
    }

    /// <summary>
    /// U&amp;"__Tenant__" is the placeholder in a form that nobody writes: it isn't rewritten and fails, which is the
    /// safe way.
    /// </summary>
    private static bool IsEscapedPlaceholder(string statement) =>
        statement.Contains("U&\"__Tenant__\"", StringComparison.OrdinalIgnoreCase);

    private sealed class Seen
    {
        public int All;
        public int Succeeded;
        public int NeedStamp;
    }
}

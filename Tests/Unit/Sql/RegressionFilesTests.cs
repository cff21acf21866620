using System.Text.RegularExpressions;
using Tenancy;
using Tenancy.Sql;
using Tests.Oracle;
using Xunit;

namespace Tests.Unit.Sql;

/// <summary>
/// The guard's reader beside PostgreSQL's own parser, on the statements of PostgreSQL's regression tests and of its
/// extensions': fifty thousand that people wrote to try every feature.
/// </summary>
public sealed partial class RegressionFilesTests
{
    /// <summary>Names a folder with PostgreSQL's source, of which the .sql files are read.</summary>
    private const string Source = "TEST_POSTGRES_SOURCE";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_name_in_PostgreSQLs_own_tests_was_seen_and_no_statement_is_unexplained()
    {
        var folder = Environment.GetEnvironmentVariable(Source);
        Assert.SkipWhen(string.IsNullOrEmpty(folder), $"{Source} doesn't name a folder with PostgreSQL's source.");
        using var parser = await PostgresParser.StartAsync(Ct);
        var (parsed, read, faults) = (0, 0, new List<string>());
        foreach (var file in Directory.EnumerateFiles(folder!, "*.sql", SearchOption.AllDirectories))
        {
            var statements = Statements(await File.ReadAllLinesAsync(file, Ct));
            foreach (var (sql, tree) in statements.Zip(await parser.ParseAsync(statements, Ct)))
            {
                if (tree is null)
                {
                    continue;
                }

                parsed++;
                read += Compare(sql, tree, faults) ? 1 : 0;
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{parsed} parsed, {read} read by the guard.");
        Assert.True(faults.Count == 0, $"{faults.Count} faults. {string.Join("\n", faults.Take(20))}");
        Assert.True(parsed > 40_000, $"Only {parsed} statements were found.");
        Assert.True(read > parsed * 0.8, $"Of {parsed} statements the guard read {read}.");
    }

    /// <returns>
    /// Whether the guard read it to its end. What it refuses for its kind (SET, CREATE ROLE) it doesn't.
    /// </returns>
    private static bool Compare(string sql, IReadOnlyList<ParsedName> tree, List<string> faults)
    {
        try
        {
            var names = StatementReader.Names(sql, inMigration: true);
            var missing = SeenNames.Missing(tree, names);
            if (missing.Count > 0 && !Exceptions().IsMatch(Comments().Replace(sql, " ")))
            {
                faults.Add($"The guard didn't see {string.Join(", ", missing)} in: {sql}");
            }

            return true;
        }
        catch (CommandRefusedException refusal)
        {
            if (refusal.Rule == CommandRule.UnknownSyntax && !NoSql().IsMatch(sql))
            {
                faults.Add($"Refused without need, {refusal.Message} In: {sql}");
            }

            return false;
        }
    }

    /// <summary>At each semicolon; without psql's commands and the rows of its COPY.</summary>
    private static List<string> Statements(IEnumerable<string> lines)
    {
        var text = string.Join('\n', lines.Where(line => !line.StartsWith('\\')));
        var found = new List<string>();
        var tokens = new SqlTokens(text);
        var from = 0;
        while (tokens.Next(out _, out var start, out var end))
        {
            if (end - start == 1 && text[start] == ';')
            {
                found.Add(text[from..start].Trim());
                from = end;
            }
        }

        return found;
    }

    [GeneratedRegex(@"--[^\n]*|/\*.*?\*/", RegexOptions.Singleline)]
    private static partial Regex Comments();

    // SET CONSTRAINTS only defers. What CREATE SCHEMA makes is in that schema. An operator class or family is a
    // superuser's, and names operators that PostgreSQL looks for in pg_catalog first. CLUSTER index ON table is refused
    // for the index. A conversion's function has an internal argument, so it is written in C. CREATE STATISTICS on a
    // join fails.
    [GeneratedRegex(
        @"^\s*(SET\s+CONSTRAINTS|CREATE\s+SCHEMA|(CREATE|ALTER)\s+OPERATOR\s+(CLASS|FAMILY)|CLUSTER\s+\w+\s+ON|" +
        @"CREATE\s+CONVERSION|CREATE\s+STATISTICS\s+tst\s+ON\s+a\s+FROM\s+foo\s+NATURAL)\b", RegexOptions.IgnoreCase)]
    private static partial Regex Exceptions();

    // No tenant's, and three bodies that are no SQL.
    [GeneratedRegex(@"\bCHECKPOINT$|not even SQL|Johnny Yuma|I fought the law")]
    private static partial Regex NoSql();
}

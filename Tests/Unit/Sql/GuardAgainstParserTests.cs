using Tenancy;
using Tenancy.Guard;
using Tenancy.Sql;
using Tests.Oracle;
using Xunit;

namespace Tests.Unit.Sql;

/// <summary>
/// The guard's reader beside PostgreSQL's own parser. Whatever name the parse tree has and a tenant may not use, the
/// guard has to refuse; and what the parser explains, the guard explains.
/// </summary>
public sealed class GuardAgainstParserTests
{
    private static readonly AllowList Shared = new(["public.shared"], ["public"], []);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_name_of_the_parse_tree_was_seen_and_no_statement_is_unexplained()
    {
        var random = new Random(TestSeed.Say());
        var grammar = new SqlGrammar(await File.ReadAllTextAsync(
            Path.Combine(AppContext.BaseDirectory, "Oracle", "statements.grammar"), Ct));
        var words = new SqlWords(random);
        using var parser = await PostgresParser.StartAsync(Ct);
        var (least, all, parsed, passed) = (TestDepth.Of(normal: 10_000, full: 1_000_000), 0, 0, 0);
        // More where a rare construct wasn't drawn yet.
        for (; all < least || all < 10 * least && grammar.Unused.Any(); all += 2_000)
        {
            var statements = Enumerable.Range(0, 2_000).Select(_ => grammar.Draw(random, words.Draw)).ToList();
            var trees = await parser.ParseAsync(statements, Ct);
            foreach (var (sql, tree) in statements.Zip(trees))
            {
                if (tree is not null)
                {
                    parsed++;
                    passed += Compare(sql, tree) ? 1 : 0;
                }
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{all} drawn, {parsed} parsed, {passed} passed the guard.");
        Assert.True(parsed > all * 0.9, $"Of {all} statements PostgreSQL parses {parsed}.");
        Assert.True(passed > parsed * 0.05, $"Of {parsed} statements the guard lets {passed} pass.");
        Assert.Empty(grammar.Unused);
    }

    private static bool Compare(string sql, IReadOnlyList<ParsedName> tree)
    {
        CommandRefusedException? refusal = null;
        try
        {
            SqlTemplate.Of(sql).Guard(Shared);
        }
        catch (CommandRefusedException e)
        {
            refusal = e;
        }

        if (refusal is null && tree.Where(name => !MayUse(name)).ToList() is { Count: > 0 } hidden)
        {
            Assert.Fail($"The guard didn't see {string.Join(", ", hidden)} in: {sql}");
        }

        if (refusal is { Rule: CommandRule.UnknownSyntax }
            || refusal is { Rule: CommandRule.MissingSchema }
                && !tree.Any(name => name is { Role: 'R' or 'W', Schema: null }))
        {
            Assert.Fail($"Refused without need, {refusal.Message} In: {sql}");
        }

        return refusal is null;
    }

    /// <summary>What a tenant may use, said apart from the guard's own rules, but for the lists.</summary>
    private static bool MayUse(ParsedName name) => name switch
    {
        { Schema: "__Tenant__" } => true,
        { Role: 'R' } => name is { Schema: "public", Name: "shared" },
        { Role: 'W' } => false,
        { Role: 'C', Schema: null or "pg_catalog" } => PostgresCatalog.MayCall(name.Name),
        _ => name.Schema is null or "pg_catalog" or "public",
    };
}

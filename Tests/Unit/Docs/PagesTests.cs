using System.Text.RegularExpressions;
using Tenancy;
using Tenancy.Sql;
using Xunit;

namespace Tests.Unit.Docs;

/// <summary>What the reference pages say is so, and where they lead there is something.</summary>
public sealed partial class PagesTests
{
    [Fact]
    public void Each_link_leads_somewhere()
    {
        var broken = DocPages.All.SelectMany(page => Link().Matches(DocPages.Text(page))
            .Select(link => (Page: page, Target: link.Groups[1].Value)))
            .Where(link => !link.Target.Contains("://", StringComparison.Ordinal) && !IsThere(link.Page, link.Target))
            .Select(link => $"{link.Page}: {link.Target}").ToList();

        Assert.Empty(broken);
    }

    [Fact]
    public void Each_page_is_in_the_sites_contents()
    {
        var contents = DocPages.Text("toc.yml");

        // The rules' index leads to their pages.
        Assert.All(DocPages.Below("docs").Where(page => !page.StartsWith("docs/rules/TEN", StringComparison.Ordinal)),
            page => Assert.Contains($"href: {page}\n", contents, StringComparison.Ordinal));
    }

    [Fact]
    public void Each_option_is_in_the_reference()
    {
        var page = DocPages.Text("docs/options.md");

        Assert.All(typeof(TenancyOptions).GetProperties(),
            option => Assert.Contains($"| `{option.Name}` |", page, StringComparison.Ordinal));
    }

    public static TheoryData<string, string, string> Refusals =>
    [
        .. Row().Matches(DocPages.Text("docs/refusals.md"))
            .Select(row => (row.Groups[1].Value, row.Groups[2].Value, row.Groups[3].Value)),
    ];

    [Theory]
    [MemberData(nameof(Refusals))]
    public void The_guard_refuses_what_the_page_says_with_these_words(string rule, string sql, string words)
    {
        var refusal = Assert.Throws<CommandRefusedException>(() =>
            SqlTemplate.Of(sql).Guard(new AllowList(["public.currencies"], ["public"], [])));

        Assert.Equal(rule, $"{refusal.Rule}");
        Assert.Contains(words, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_rule_of_the_guard_is_in_the_reference() =>
        Assert.Equal(Enum.GetNames<CommandRule>().Order(), Refusals.Select(row => row.Data.Item1).Distinct().Order());

    [Fact]
    public void The_other_refusals_messages_are_the_codes()
    {
        // A message stands in several strings that are added up.
        var code = string.Concat(DocPages.Below("Packages", "*.cs").Select(DocPages.Text)
            .Select(text => Joint().Replace(text, "")));
        var page = DocPages.Text("docs/refusals.md");
        var messages = page[page.IndexOf("## Of contexts", StringComparison.Ordinal)..].Split('\n')
            .Where(line => line.StartsWith("| ", StringComparison.Ordinal))
            .Select(line => line.Split('|')).Where(cells => !cells[1].Contains("message has", StringComparison.Ordinal)
                && !cells[2].Contains("message has", StringComparison.Ordinal))
            .Select(cells => cells.Length > 4 ? cells[2].Trim() : cells[1].Trim()).ToList();

        Assert.NotEmpty(messages);
        Assert.All(messages, message => Assert.Contains(message, code, StringComparison.Ordinal));
    }

    private static bool IsThere(string page, string target)
    {
        var (path, anchor) = target.Split('#') is [var file, var place] ? (file, place) : (target, null);
        var full = path.Length == 0 ? page : Path.Combine(Path.GetDirectoryName(page)!, path);
        var normal = Path.GetRelativePath(".", Path.Combine(".", full));
        return DocPages.Exists(normal) && (anchor is null || Anchors(DocPages.Text(normal)).Contains(anchor));
    }

    private static IEnumerable<string> Anchors(string page) => Heading().Matches(page)
        .Select(heading => NoLetter().Replace(heading.Groups[1].Value.Trim().ToLowerInvariant(), "").Replace(' ', '-'));

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("^#+ (.*)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NoLetter();

    [GeneratedRegex(@"^\| `(\w+)` \| `([^|]+)` \| ([^|]+?) \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("\"\\s*\\+\\s*\\$*\"")]
    private static partial Regex Joint();
}

using Tenancy;
using Tenancy.Sql;
using Xunit;

namespace Tests.Unit.Sql;

public sealed class SqlTemplateTests
{
    private static readonly SchemaName Acme = SchemaName.Parse("customer_acme");

    [Theory]
    [InlineData(
        """SELECT i.id FROM "__Tenant__".invoices AS i""", """SELECT i.id FROM "customer_acme".invoices AS i""")]
    [InlineData("""CREATE SCHEMA "__Tenant__";""", """CREATE SCHEMA "customer_acme";""")]
    [InlineData("""a "__Tenant__".b, "__Tenant__".c""", """a "customer_acme".b, "customer_acme".c""")]
    [InlineData("""a>"__Tenant__".b""", """a>"customer_acme".b""")]
    [InlineData("""$1"__Tenant__".b""", """$1"customer_acme".b""")]
    [InlineData("""'a' || "__Tenant__".b""", """'a' || "customer_acme".b""")]
    [InlineData("""E'a\'' || "__Tenant__".b""", """E'a\'' || "customer_acme".b""")]
    [InlineData("""'a\' || "__Tenant__".b""", """'a\' || "customer_acme".b""")]
    [InlineData("""/* /* */ */ "__Tenant__".b""", """/* /* */ */ "customer_acme".b""")]
    [InlineData("-- it's\n\"__Tenant__\".b", "-- it's\n\"customer_acme\".b")]
    [InlineData("""tag$a$ "__Tenant__".b $a$""", """tag$a$ "customer_acme".b $a$""")]
    [InlineData("""$a$ x $b$ y $a$ "__Tenant__".b""", """$a$ x $b$ y $a$ "customer_acme".b""")]
    [InlineData("\"__Tenant__\"", "\"customer_acme\"")]
    [InlineData("""1e5"__Tenant__".b""", """1e5"customer_acme".b""")]
    [InlineData("""x1e5$$ "__Tenant__".b $$""", """x1e5$$ "customer_acme".b $$""")]
    public void Where_the_placeholder_is_an_identifier_the_schema_is_written(string text, string rewritten) =>
        Assert.Equal(rewritten, SqlTemplate.Of(text).Rewrite(Acme));

    [Theory]
    [InlineData("""SELECT '"__Tenant__"'""")]
    [InlineData("""SELECT 'it''s "__Tenant__"'""")]
    [InlineData("""SELECT E'\'"__Tenant__"'""")]
    [InlineData("""SELECT e'\\\' "__Tenant__"'""")]
    [InlineData("SELECT E'a' \n '\\' \"__Tenant__\"'")]
    [InlineData("SELECT E'a' -- not the end\n '\\' \"__Tenant__\"'")]
    [InlineData("""SELECT U&'"__Tenant__"', B'"__Tenant__"', N'"__Tenant__"'""")]
    [InlineData("""SELECT $$ "__Tenant__" $$""")]
    [InlineData("""SELECT $body$ $$ "__Tenant__" $body$""")]
    [InlineData("""SELECT $bödy_1$ "__Tenant__" $bödy_1$""")]
    [InlineData(
        """SELECT 1$$ "__Tenant__" $$, 1e5$$ "__Tenant__" $$, 1.5e-5$a$ "__Tenant__" $a$, 0x1F$$ "__Tenant__" $$, 1_000$$ "__Tenant__" $$""")]
    [InlineData("""SELECT 1 -- "__Tenant__".b""")]
    [InlineData("""SELECT 1 /* "__Tenant__" /* */ "__Tenant__" */""")]
    [InlineData("""SELECT "a""__Tenant__""b", "x__Tenant__", "__Tenant__x", "__tenant__", __Tenant__""")]
    [InlineData("""SELECT U&"__Tenant__" """)]
    [InlineData("""SELECT 'never closed "__Tenant__".b""")]
    [InlineData("")]
    public void Where_the_same_characters_are_data_they_stay(string text)
    {
        var template = SqlTemplate.Of(text);

        Assert.False(template.NamesTenant);
        Assert.Same(text, template.Rewrite(Acme));
    }

    [Fact]
    public void A_placeholder_that_would_not_be_stamped_is_found_in_literals_but_not_in_bodies_and_comments()
    {
        Assert.Equal(8, SqlTemplate.Of("SELECT '__Tenant__.b'").PlaceholderInLiteral);
        Assert.Equal(28, SqlTemplate.Of("DO $$ BEGIN END $$; SELECT '__Tenant__'").PlaceholderInLiteral);
        Assert.Null(SqlTemplate.Of("-- __Tenant__\n\"__Tenant__\".b").PlaceholderInLiteral);
    }

    [Fact]
    public void One_cut_serves_every_tenant()
    {
        var template = SqlTemplate.Of("""SELECT 1 FROM "__Tenant__".b""");

        Assert.Equal("SELECT 1 FROM \"a\".b", template.Rewrite(SchemaName.Parse("a")));
        Assert.Equal($"SELECT 1 FROM \"{new string('b', 63)}\".b", template.Rewrite(SchemaName.Parse(new string('b', 63))));
    }

    [Fact]
    public void A_schema_that_was_never_set_is_stamped_nowhere() =>
        Assert.Throws<InvalidOperationException>(() => SqlTemplate.Of("\"__Tenant__\".b").Rewrite(default));

    [Fact]
    public void The_cache_gives_the_same_cut_again_and_forgets_rather_than_grow()
    {
        var templates = new SqlTemplateCache();
        var first = templates.Of("SELECT 0");

        Assert.Same(first, templates.Of("SELECT 0"));
        for (var i = 1; i <= 5000; i++)
        {
            templates.Of($"SELECT {i}");
        }

        Assert.NotSame(first, templates.Of("SELECT 0"));
    }

    [Fact]
    public void The_cache_is_bounded_by_the_length_of_its_texts_too()
    {
        var templates = new SqlTemplateCache();
        for (var i = 0; i < 1000; i++)
        {
            templates.Of($"SELECT {i} -- {new string('x', 60_000)}");
            Assert.True(templates.Kept.Characters <= 8 * 1024 * 1024, $"{templates.Kept} are kept.");
        }

        Assert.True(templates.Kept.Count > 0);
    }
}

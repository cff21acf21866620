using Tenancy;
using Xunit;

namespace Tests.Unit.Tenants;

public sealed class SchemaNameTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("customer_acme")]
    [InlineData("customer_acme_2")]
    [InlineData("customers")]
    [InlineData("pgx")]
    public void A_plain_lower_case_name_is_allowed(string name)
    {
        Assert.Equal(name, SchemaName.Parse(name).Value);
        Assert.Equal($"\"{name}\"", SchemaName.Parse(name).Quoted);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1a")]
    [InlineData("_a")]
    [InlineData("Acme")]
    [InlineData("acme-inc")]
    [InlineData("acme inc")]
    [InlineData("acme\"; DROP SCHEMA public; --")]
    [InlineData("acme\n")]
    [InlineData("acmé")]
    [InlineData("pg_acme")]
    [InlineData("public")]
    [InlineData("information_schema")]
    [InlineData("tenancy")]
    [InlineData("__Tenant__")]
    public void What_could_be_another_schema_or_more_than_a_name_is_refused(string name)
    {
        Assert.False(SchemaName.TryParse(name, out _));
        Assert.Contains(
            name, Assert.Throws<FormatException>(() => SchemaName.Parse(name)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Sixty_three_characters_fit_and_the_next_would_be_cut_by_the_server()
    {
        Assert.True(SchemaName.TryParse(new string('a', 63), out _));
        Assert.False(SchemaName.TryParse(new string('a', 64), out _));
        Assert.False(SchemaName.TryParse(null, out _));
    }

    [Fact]
    public void A_name_that_was_never_set_reaches_no_text()
    {
        SchemaName name = default;

        Assert.Throws<InvalidOperationException>(() => name.Value);
        Assert.Throws<InvalidOperationException>(() => name.Quoted);
        Assert.Throws<InvalidOperationException>(() => name.ToString());
        Assert.Throws<InvalidOperationException>(() => $"{name}");
    }

    [Fact]
    public void A_qualified_name_is_quoted_whatever_is_in_it() =>
        Assert.Equal("\"customer_acme\".\"in\"\"voices\"", SchemaName.Parse("customer_acme").Qualify("in\"voices"));

    [Fact]
    public void Names_are_ordered_as_the_server_orders_them_under_the_C_locale()
    {
        var names = new[] { "b", "a_1", "a1", "a" }.Select(SchemaName.Parse).Order().Select(name => name.Value);

        Assert.Equal(["a", "a1", "a_1", "b"], names);
    }
}

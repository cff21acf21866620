using CsCheck;
using Data.Customers;
using Tenancy;
using Xunit;

namespace Tests.Unit.Data;

public sealed class CustomerSlugTests
{
    [Theory]
    [InlineData("a", "customer_a")]
    [InlineData("acme-inc", "customer_acme_inc")]
    [InlineData("a-very-long-name-of-forty-characters-abc", "customer_a_very_long_name_of_forty_characters_abc")]
    public void A_slug_becomes_a_schemas_name(string slug, string schema)
    {
        Assert.True(CustomerSlug.IsValid(slug));
        Assert.Equal(schema, SchemaName.Parse(CustomerSlug.WantedSchema(slug)).Value);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("1st")]
    [InlineData("-a")]
    [InlineData("a_b")]
    [InlineData("Acme")]
    [InlineData("acme\n")]
    [InlineData("a-very-long-name-of-forty-one-characters-")]
    public void Any_other_text_is_no_slug(string? slug) => Assert.False(CustomerSlug.IsValid(slug));

    [Fact]
    public void Whatever_is_a_slug_is_the_same_in_a_path_and_a_host_and_gives_a_schemas_name() =>
        Gen.String[Gen.Char["az09-_AZ.:/%@\n\u0000éı\u212A"], 0, 43].Sample(text =>
        {
            Assert.Equal(IsSlug(text), CustomerSlug.IsValid(text));
            if (CustomerSlug.IsValid(text))
            {
                var address = new Uri($"http://{text}.localhost/customers/{text}");
                Assert.Equal($"/customers/{text}", address.AbsolutePath);
                Assert.Equal($"{text}.localhost", address.Host);
                Assert.StartsWith(
                    CustomerSlug.SchemaPrefix, SchemaName.Parse(CustomerSlug.WantedSchema(text)).Value,
                    StringComparison.Ordinal);
            }
        }, iter: 5_000);

    [Fact]
    public void Two_slugs_never_want_the_same_schema() =>
        Gen.Select(Slug, Slug).Sample((one, other) =>
        {
            // An underscore is in no slug, so the schema tells the slug.
            Assert.Equal(one == other, CustomerSlug.WantedSchema(one) == CustomerSlug.WantedSchema(other));
        }, iter: 5_000);

    private static readonly Gen<string> Slug =
        Gen.Select(Gen.Char["ab"], Gen.String[Gen.Char["a-"], 0, 3], (first, rest) => $"{first}{rest}");

    /// <summary>The rule, letter by letter.</summary>
    private static bool IsSlug(string text) => text.Length is >= 1 and <= 40 && text[0] is >= 'a' and <= 'z'
        && text.All(letter => letter is >= 'a' and <= 'z' or >= '0' and <= '9' or '-');

    [Theory]
    [InlineData("2.5", "10.333", 2, "25.83")]
    [InlineData("1", "0.005", 2, "0.01")]
    [InlineData("3", "0.5", 0, "2")]
    public void A_lines_total_is_rounded_to_the_currencys_decimals_half_away_from_zero(
        string quantity, string price, int decimals, string total)
    {
        var culture = System.Globalization.CultureInfo.InvariantCulture;

        Assert.Equal(
            decimal.Parse(total, culture),
            global::Data.Invoicing.InvoiceLine
                .TotalOf(decimal.Parse(quantity, culture), decimal.Parse(price, culture), decimals));
    }
}

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

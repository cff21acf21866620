using System.Globalization;
using Web.Customers;
using Web.Invoices;
using Web.Shell;
using Xunit;

namespace Tests.Unit.Web;

public sealed class FormsTests
{
    [Theory]
    [InlineData("Acme Corporation", "acme-corporation")]
    [InlineData("Müller & Söhne", "muller-sohne")]
    [InlineData("  Straße 7 ", "strasse-7")]
    [InlineData("O'Reilly", "oreilly")]
    [InlineData("3M", "m")]
    [InlineData("株式会社", "")]
    [InlineData("A company whose name is longer than slugs can be", "a-company-whose-name-is-longer-than-slug")]
    public void A_slug_is_suggested_from_a_name(string name, string slug) =>
        Assert.Equal(slug, NewCustomer.SuggestSlug(name));

    [Theory]
    [InlineData("acme", true)]
    [InlineData("a", true)]
    [InlineData("a-1", true)]
    [InlineData("1a", false)]
    [InlineData("Acme", false)]
    [InlineData("acme\n", false)]
    [InlineData("a_b", false)]
    [InlineData("a1234567890123456789012345678901234567890", false)]
    public void A_slug_follows_the_apis_rule(string slug, bool allowed) =>
        Assert.Equal(allowed, !new NewCustomer { Name = "Some name", Slug = slug }.Check().Any());

    [Fact]
    public void A_path_of_problem_details_finds_its_field()
    {
        var form = new NewInvoice();
        form.Lines.Add(new());

        Assert.Equal((form.Lines[1], "UnitPrice"), Found("lines[1].unitPrice"));
        Assert.Equal((form.Contact, "Email"), Found("contact.email"));
        Assert.Equal((form, "Currency"), Found("currency"));
        Assert.Null(FieldPath.Find(form, "lines[2].unitPrice"));
        Assert.Null(FieldPath.Find(form, "lines[0].colour"));
        Assert.Null(FieldPath.Find(form, ""));

        (object, string)? Found(string path) =>
            FieldPath.Find(form, path) is { } field ? (field.Model, field.FieldName) : null;
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData(" ", true)]
    [InlineData("jane@example.com ", true)]
    [InlineData("jane", false)]
    [InlineData("@example.com", false)]
    [InlineData("jane@", false)]
    [InlineData("jane@example@com", false)]
    public void An_address_may_be_missing_but_not_malformed(string? email, bool allowed)
    {
        var form = new NewInvoice { Contact = { Email = email } };

        Assert.Equal(allowed, form.Check().All(error => error.Path != "contact.email"));
    }

    [Fact]
    public void An_invoice_is_not_due_before_it_is_issued()
    {
        var form = new NewInvoice { IssuedOn = new(2026, 11, 23), DueOn = new(2026, 11, 22) };

        Assert.Contains(new FieldError("dueOn", "Not before the day of issue."), form.Check());
    }

    [Theory]
    [InlineData("0", "1", "lines[0].quantity")]
    [InlineData("1.0001", "1", "lines[0].quantity")]
    [InlineData("100000000", "1", "lines[0].quantity")]
    [InlineData("1", "-1", "lines[0].unitPrice")]
    [InlineData("1", "0.00001", "lines[0].unitPrice")]
    [InlineData("1", "10000000", "lines[0].unitPrice")]
    public void A_line_keeps_to_what_the_api_can_store(string quantity, string price, string path)
    {
        var line = new NewLine
        {
            Description = "Support",
            Quantity = decimal.Parse(quantity, CultureInfo.InvariantCulture),
            UnitPrice = decimal.Parse(price, CultureInfo.InvariantCulture),
        };

        Assert.Equal([path], line.Check("lines[0].").Select(error => error.Path));
    }

    [Fact]
    public void The_total_is_the_sum_of_rounded_lines()
    {
        var form = new NewInvoice();
        form.Lines[0].UnitPrice = 0.125m;
        form.Lines.Add(new() { UnitPrice = 0.125m });

        Assert.Equal(0.26m, form.Total(2));
    }

    [Fact]
    public void Dates_and_amounts_look_as_the_reader_is_used_to()
    {
        CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("de-DE");
        Assert.Equal("1.234,50\u00a0EUR", Words.Money(1234.5m, "EUR", 2));
        Assert.Equal("23.11.2026", Words.Date(new DateOnly(2026, 11, 23)));

        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        Assert.Equal("2026-11-23", Words.Date(new DateOnly(2026, 11, 23)));
    }

    [Theory]
    [InlineData("Pacific/Auckland", "24/11/2026", "24/11/2026 00:30")]
    [InlineData("America/New_York", "23/11/2026", "23/11/2026 06:30")]
    // A browser that names no zone, or none that there is.
    [InlineData(null, "23/11/2026", "23/11/2026 11:30 UTC")]
    [InlineData("Nowhere/Nothing", "23/11/2026", "23/11/2026 11:30 UTC")]
    [InlineData("../../../etc/passwd", "23/11/2026", "23/11/2026 11:30 UTC")]
    [InlineData("/usr/share/zoneinfo/Europe/Berlin", "23/11/2026", "23/11/2026 11:30 UTC")]
    public void Times_are_those_of_the_readers_clock(string? zone, string day, string minute)
    {
        CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("en-GB");
        ReaderZone.Current = ReaderZone.Find(zone);
        var moment = new DateTimeOffset(2026, 11, 23, 12, 30, 0, TimeSpan.FromHours(1));

        Assert.Equal((day, minute), (Words.Date(moment), Words.Moment(moment)));
    }
}

using Tenancy;
using Tenancy.Registries;
using Xunit;

namespace Tests.Unit.Tenants;

/// <summary>Which answers of the directory are from before a change.</summary>
public sealed class StaleAnswersTests
{
    private static readonly SchemaName Schema = SchemaName.Parse("customer_acme");

    [Fact]
    public void A_change_of_its_slug_makes_an_answer_stale_and_no_later_one()
    {
        var stale = new StaleAnswers();
        var before = stale.Now;

        stale.ForgetSlug("acme");

        Assert.False(stale.IsFresh("acme", before));
        Assert.True(stale.IsFresh(Schema, before));
        Assert.True(stale.IsFresh("acme", stale.Now));
    }

    [Fact]
    public void A_change_of_its_schema_makes_an_answer_stale_and_no_later_one()
    {
        var stale = new StaleAnswers();
        var before = stale.Now;

        stale.ForgetSchema(Schema.Value);

        Assert.False(stale.IsFresh(Schema, before));
        Assert.True(stale.IsFresh("acme", before));
        Assert.True(stale.IsFresh(Schema, stale.Now));
    }

    [Fact]
    public void A_change_of_everything_makes_every_earlier_answer_stale()
    {
        var stale = new StaleAnswers();
        var before = stale.Now;

        stale.ForgetAll();

        Assert.False(stale.IsFresh("acme", before));
        Assert.False(stale.IsFresh("globex", before));
        Assert.True(stale.IsFresh("acme", stale.Now));
    }

    [Fact]
    public void Changes_at_once_leave_no_answer_from_before_any_of_them()
    {
        var stale = new StaleAnswers();
        var asked = new long[64];

        Parallel.For(0, asked.Length, at =>
        {
            asked[at] = stale.Now;
            stale.ForgetSlug("acme");
        });

        Assert.All(asked, before => Assert.False(stale.IsFresh("acme", before)));
    }
}

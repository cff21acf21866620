using Tenancy;
using Xunit;

namespace Tests.Unit.Tenants;

/// <summary>A name is for people, and does nothing else.</summary>
public sealed class TenantNameTests
{
    [Theory]
    [InlineData("Acme")]
    [InlineData("Zoë Müller-Lüdenscheidt & Co. \"KG\"")]
    [InlineData("株式会社")]
    [InlineData("שלום בע\"מ")]
    [InlineData("👩‍👩‍👧 & Sons")]
    public void A_name_in_any_language_is_one(string name) => Assert.True(TenantName.IsValid(name));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("a\nb")]
    [InlineData("a\0b")]
    [InlineData("a\u0085b")]
    [InlineData("a\u2028b")]
    [InlineData("a\u202eb")]
    [InlineData("a\u2069b")]
    [InlineData("a\u200eb")]
    [InlineData("a\u061cb")]
    [InlineData("a\u200bb")]
    [InlineData("a\u2060b")]
    [InlineData("a\ufeffb")]
    [InlineData("a\ud800b")]
    public void A_name_that_breaks_lines_or_turns_them_around_is_none(string? name) =>
        Assert.False(TenantName.IsValid(name));

    [Fact]
    public void The_longest_has_two_hundred_characters()
    {
        Assert.True(TenantName.IsValid(new string('x', TenantName.Longest)));
        Assert.False(TenantName.IsValid(new string('x', TenantName.Longest + 1)));
    }
}

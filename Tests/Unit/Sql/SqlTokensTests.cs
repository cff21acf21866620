using CsCheck;
using Tenancy;
using Tenancy.Sql;
using Tests.Integration.Sql;
using Xunit;

namespace Tests.Unit.Sql;

public sealed class SqlTokensTests
{
    private static readonly SchemaName Acme = SchemaName.Parse("customer_acme");

    /// <summary>Statements, and texts that are none.</summary>
    private static readonly Gen<string> Text = Gen.OneOf(
        SqlSoup.Any, Gen.String,
        Gen.OneOf('\'', '"', '$', '-', '/', '*', '\\', '\n', '\r', 'E', 'u', '&', '1', '_', ' ', '\0', '\ud800',
            'é').Array[0, 30].Select(chars => new string(chars)));

    [Fact]
    public void The_tokens_of_any_text_joined_are_the_text() => Text.Sample(
        text =>
        {
            var tokens = new SqlTokens(text);
            var at = 0;
            while (tokens.Next(out _, out var start, out var end))
            {
                Assert.Equal(at, start);
                Assert.True(end > start && end <= text.Length);
                at = end;
            }

            Assert.Equal(text.Length, at);
        },
        iter: TestDepth.Of(10_000, 200_000), threads: 2);

    [Fact]
    public void A_text_without_the_placeholder_is_itself_when_stamped() =>
        Text.Select(text => text.Replace("__Tenant__", "tenant", StringComparison.Ordinal)).Sample(
            text => Assert.Same(text, SqlTemplate.Of(text).Rewrite(Acme)),
            iter: TestDepth.Of(10_000, 200_000), threads: 2);

    [Fact]
    public void A_stamped_text_with_the_placeholder_put_back_is_the_text() => Text.Sample(
        text => Assert.Equal(text,
            SqlTemplate.Of(text).Rewrite(Acme).Replace("\"customer_acme\"", "\"__Tenant__\"", StringComparison.Ordinal)),
        iter: TestDepth.Of(10_000, 200_000), threads: 2);
}

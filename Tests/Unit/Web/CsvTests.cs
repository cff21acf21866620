using Web.Shell;
using Xunit;

namespace Tests.Unit.Web;

public sealed class CsvTests
{
    [Theory]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("+49 30", "'+49 30")]
    [InlineData("-x", "'-x")]
    [InlineData("@SUM(A1)", "'@SUM(A1)")]
    [InlineData("  =1+1", "'  =1+1")]
    [InlineData("\t=1", "\"'\t=1\"")]
    [InlineData("\n=1", "\"'\n=1\"")]
    [InlineData("＝1+1", "'＝1+1")]
    [InlineData("=\"a\",b", "\"'=\"\"a\"\",b\"")]
    [InlineData("a=b", "a=b")]
    [InlineData("Müller; Söhne", "\"Müller; Söhne\"")]
    [InlineData("", "")]
    public void Text_never_becomes_a_formula(string text, string cell) =>
        Assert.Equal($"{cell}\r\n", new Csv(text).ToString());

    [Fact]
    public void Figures_are_written_the_same_everywhere()
    {
        System.Globalization.CultureInfo.CurrentCulture = System.Globalization.CultureInfo.GetCultureInfo("de-DE");

        Assert.Equal("-1234.50,7,\r\n", new Csv(-1234.50m, 7, null).ToString());
    }
}

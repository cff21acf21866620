using System.Globalization;

namespace Web.Shell;

/// <summary>Figures and dates as the reader's culture writes them.</summary>
internal static class Words
{
    /// <summary>
    /// An amount with as many decimals as its currency has, and the currency's code: <c>1,234.50 EUR</c>.
    /// </summary>
    public static string Money(decimal amount, string currency, int decimals) =>
        $"{Amount(amount, decimals)}\u00a0{currency}";

    /// <summary>
    /// An amount with at least the currency's decimals, and more (up to the four that are stored) when it has them.
    /// </summary>
    public static string Amount(decimal amount, int decimals) =>
        amount.ToString("#,##0." + new string('0', decimals) + new string('#', Math.Max(0, 4 - decimals)),
            CultureInfo.CurrentCulture);

    /// <summary>How many decimals the text of an amount shows.</summary>
    public static int DecimalsOf(string amount)
    {
        var separator = CultureInfo.CurrentCulture.NumberFormat.NumberDecimalSeparator;
        var at = amount.IndexOf(separator, StringComparison.Ordinal);
        return at < 0 ? 0 : amount.Length - at - separator.Length;
    }

    /// <summary>A quantity without idle zeros.</summary>
    public static string Quantity(decimal quantity) => quantity.ToString("#,##0.####", CultureInfo.CurrentCulture);

    /// <summary>How large a file is, in units that fit: <c>12 KB</c>, <c>3.4 MB</c>.</summary>
    public static string Size(long bytes) => bytes < 1024 * 1024
        ? string.Create(CultureInfo.CurrentCulture, $"{Math.Ceiling(bytes / 1024m):N0} KB")
        : string.Create(CultureInfo.CurrentCulture, $"{bytes / 1024m / 1024m:#,##0.#} MB");

    public static string Date(DateOnly date) => date.ToString(DatePattern, CultureInfo.CurrentCulture);

    /// <summary>The day, in the reader's time zone.</summary>
    public static string Date(DateTimeOffset moment) => Date(DateOnly.FromDateTime(ReaderZone.Of(moment).DateTime));

    /// <summary>
    /// The day and the minute, in the reader's time zone; in UTC, with that word, where it is unknown.
    /// </summary>
    public static string Moment(DateTimeOffset moment) =>
        $"{Date(moment)} {ReaderZone.Of(moment).ToString("t", CultureInfo.CurrentCulture)}" +
        $"{(ReaderZone.Current is null ? " UTC" : "")}";

    /// <summary>
    /// The culture's short pattern. Where there is no culture, the order that nobody misreads: 2026-11-23.
    /// </summary>
    public static string DatePattern => Equals(CultureInfo.CurrentCulture, CultureInfo.InvariantCulture)
        ? "yyyy-MM-dd"
        : CultureInfo.CurrentCulture.DateTimeFormat.ShortDatePattern;

    /// <summary>A waiting time for people: <c>8 seconds</c>, <c>3 minutes</c>.</summary>
    public static string Duration(TimeSpan time) => time.TotalSeconds < 90
        ? Count(Math.Max(1, (int)Math.Ceiling(time.TotalSeconds)), "second")
        : Count((int)Math.Ceiling(time.TotalMinutes), "minute");

    /// <summary>A number as the reader's culture groups it: <c>10,000</c>.</summary>
    public static string Number(long number) => number.ToString("N0", CultureInfo.CurrentCulture);

    /// <summary>A number with its noun: <c>1 customer</c>, <c>25 customers</c>.</summary>
    public static string Count(int number, string noun) =>
        string.Create(CultureInfo.CurrentCulture, $"{number:N0} {noun}{(number == 1 ? "" : "s")}");
}

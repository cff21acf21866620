namespace Benchmarks.Measuring;

/// <summary>
/// A median and the interval around it that holds the true one in at least 95 of 100 cases; no interval where there are
/// too few values.
/// </summary>
internal readonly record struct Estimate(double Median, double? Low, double? High)
{
    public override string ToString() =>
        Low is null ? FormattableString.Invariant($"{Median:0.00}") : FormattableString.Invariant(
            $"{Median:0.00} [{Low:0.00} - {High:0.00}]");
}

/// <summary>
/// What is said about measured values. Medians, because the noise of a busy machine has one long tail.
/// </summary>
internal static class Statistics
{
    /// <exception cref="ArgumentException">There are no values.</exception>
    public static double Median(IEnumerable<double> values) => Percentile(values, 0.5);

    /// <summary>
    /// The value below which <paramref name="share"/> of the values are, interpolated between neighbours.
    /// </summary>
    /// <exception cref="ArgumentException">There are no values.</exception>
    public static double Percentile(IEnumerable<double> values, double share)
    {
        double[] sorted = [.. values.Order()];
        if (sorted.Length == 0)
        {
            throw new ArgumentException("There are no values, so there is no median.", nameof(values));
        }

        var place = share * (sorted.Length - 1);
        var below = (int)place;
        return below + 1 == sorted.Length
            ? sorted[below]
            : sorted[below] + (place - below) * (sorted[below + 1] - sorted[below]);
    }

    /// <summary>
    /// The interval's ends are two of the values themselves (order statistics): of n values, the number below the true
    /// median is binomial with 1/2, whatever the noise's distribution is.
    /// </summary>
    public static Estimate Estimate(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        var outside = Outside(sorted.Length);
        return outside == 0
            ? new(Median(sorted), null, null)
            : new(Median(sorted), sorted[outside - 1], sorted[^outside]);
    }

    /// <summary>
    /// One ratio for each pair of slices that ran in the same round, so that what slows a while of the run cancels out.
    /// </summary>
    /// <exception cref="ArgumentException">The two have different numbers of values.</exception>
    public static IReadOnlyList<double> Ratios(IReadOnlyList<double> measured, IReadOnlyList<double> reference) =>
        measured.Count == reference.Count
            ? [.. measured.Zip(reference, (one, other) => one / other)]
            : throw new ArgumentException(
                $"{measured.Count} values and {reference.Count} don't make pairs.", nameof(reference));

    /// <summary>
    /// Of ratios for the same pair of rivals in different work, what stands for all: 2 here and 1/2 there is 1.
    /// </summary>
    public static double GeometricMean(params IReadOnlyCollection<double> ratios) => Math.Exp(ratios.Average(Math.Log));

    /// <summary>
    /// The largest k such that the k-th smallest and k-th largest of n values enclose the median with 95 %; 0 if even
    /// the outermost don't.
    /// </summary>
    private static int Outside(int count)
    {
        var k = 0;
        var oneTail = Math.Pow(0.5, count);
        var term = oneTail;
        while (2 * oneTail <= 0.05)
        {
            k++;
            term *= (double)(count - k + 1) / k;
            oneTail += term;
        }

        return k;
    }
}

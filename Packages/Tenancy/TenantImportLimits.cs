namespace Tenancy;

/// <summary>
/// Limits of an import. A file from outside may claim little and become much: its sizes are checked before a row is
/// read, and again while they are.
/// </summary>
public sealed record TenantImportLimits
{
    /// <summary>The longest file, bytes. Default: 4 GiB.</summary>
    public long FileBytes { get; init; } = 4L << 30;

    /// <summary>The most bytes of all tables together, not compressed. Default: 40 GiB.</summary>
    public long Bytes { get; init; } = 40L << 30;

    /// <summary>The most rows of all tables together. Default: 100 million.</summary>
    public long Rows { get; init; } = 100_000_000;

    /// <summary>
    /// How many times longer the data may be than the file. Default: 100. It counts from the first 100 MB on: a small
    /// table of equal rows compresses well.
    /// </summary>
    public int Expansion { get; init; } = 100;
}

namespace Tenancy.Registries;

/// <summary>
/// Says which of the directory's answers are from before a change. Each change and each question gets a number from one
/// count, so an answer needs no more than the number of its question, and nobody has to find the answers that a change
/// makes stale. Changes are kept by a part of the name's hash: the memory is bounded, and an answer may be asked for
/// again because of somebody else's change.
/// </summary>
internal sealed class StaleAnswers
{
    private const int Parts = 1024;

    private readonly Lock _lock = new();
    private readonly long[] _slugs = new long[Parts];
    private readonly long[] _schemas = new long[Parts];
    private long _all;
    private long _count;

    /// <summary>The number for a question that is asked now.</summary>
    public long Now => Interlocked.Read(ref _count);

    public void ForgetSlug(string slug) => Forget(ref Of(_slugs, slug));

    public void ForgetSchema(string schema) => Forget(ref Of(_schemas, schema));

    public void ForgetAll() => Forget(ref _all);

    /// <summary>The number of the last change of that slug or of all; 0 for none.</summary>
    public long Last(string slug) =>
        Math.Max(Interlocked.Read(ref _all), Interlocked.Read(ref Of(_slugs, slug)));

    /// <summary>Whether no change of that slug, or of all, came after that question.</summary>
    public bool IsFresh(string slug, long asked) => asked >= Last(slug);

    /// <summary>Whether no change of the schema came after that question.</summary>
    public bool IsFresh(SchemaName schema, long asked) => asked >= Interlocked.Read(ref Of(_schemas, schema.Value));

    private void Forget(ref long last)
    {
        // Two changes at once: the later number has to stay.
        lock (_lock)
        {
            Interlocked.Exchange(ref last, Interlocked.Increment(ref _count));
        }
    }

    private static ref long Of(long[] parts, string name) =>
        ref parts[(uint)string.GetHashCode(name, StringComparison.Ordinal) % Parts];
}

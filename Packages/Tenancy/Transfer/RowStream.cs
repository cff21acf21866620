using System.Buffers;
using System.Security.Cryptography;

namespace Tenancy.Transfer;

/// <summary>Passes a table's rows on, counts them and sums them up.</summary>
internal sealed class RowStream : IDisposable
{
    private const int Chunk = 128 * 1024;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>COPY's text ends each row with a line feed, and writes one in a value as <c>\n</c>.</summary>
    public long Rows { get; private set; }

    public long Bytes { get; private set; }

    public string Sha256 => Convert.ToHexStringLower(_hash.GetCurrentHash());

    /// <param name="from">Read to its end.</param>
    /// <param name="to">Written.</param>
    /// <param name="check">Called after each chunk, before it is passed on; throws to end it.</param>
    /// <param name="ct">Ends it.</param>
    public async Task PassAsync(Stream from, Stream to, Action? check, CancellationToken ct)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Chunk);
        try
        {
            int read;
            while ((read = await from.ReadAsync(buffer.AsMemory(0, Chunk), ct)) > 0)
            {
                var chunk = buffer.AsMemory(0, read);
                _hash.AppendData(chunk.Span);
                Rows += chunk.Span.Count((byte)'\n');
                Bytes += read;
                check?.Invoke();
                await to.WriteAsync(chunk, ct);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public void Dispose() => _hash.Dispose();
}

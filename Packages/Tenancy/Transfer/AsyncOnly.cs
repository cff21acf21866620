namespace Tenancy.Transfer;

/// <summary>
/// Writes to a stream asynchronously alone, as a response's body demands. .NET's archive ends each entry with a
/// synchronous write, whatever way it is disposed of. Here these few bytes wait for the next asynchronous one.
/// </summary>
internal sealed class AsyncOnly(Stream to) : Stream
{
    private readonly MemoryStream _waiting = new();

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask WriteAsync(
        ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await PassAsync(cancellationToken);
        await to.WriteAsync(buffer, cancellationToken);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count) => _waiting.Write(buffer, offset, count);

    public override void Write(ReadOnlySpan<byte> buffer) => _waiting.Write(buffer);

    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        await PassAsync(cancellationToken);
        await to.FlushAsync(cancellationToken);
    }

    public override void Flush()
    {
        // Comes with FlushAsync.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private async ValueTask PassAsync(CancellationToken ct)
    {
        if (_waiting.Length > 0)
        {
            await to.WriteAsync(_waiting.GetBuffer().AsMemory(0, (int)_waiting.Length), ct);
            _waiting.SetLength(0);
        }
    }
}

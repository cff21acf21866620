namespace Tenancy.Operations;

/// <summary>What both directions of an operation's file have in common: they can't seek.</summary>
internal abstract class OperationFile : Stream
{
    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Flush()
    {
        // A part is written when it is full, and the last one at the end.
    }
}

/// <summary>Reads an operation's file from its rows, part after part.</summary>
/// <param name="table">Has them.</param>
/// <param name="id">The operation's.</param>
/// <param name="progress">Told the bytes read; null for nobody.</param>
internal sealed class FileReader(OperationsTable table, Guid id, OperationContext? progress = null) : OperationFile
{
    private ReadOnlyMemory<byte> _left;
    private int _next;
    private long _read;

    public override bool CanRead => true;

    public override bool CanWrite => false;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_left.IsEmpty && buffer.Length > 0)
        {
            _left = await table.ReadPartAsync(id, _next++, cancellationToken);
        }

        var length = Math.Min(_left.Length, buffer.Length);
        _left[..length].CopyTo(buffer);
        _left = _left[length..];
        _read += length;
        progress?.Report(_read, progress.Total);
        return length;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}

/// <summary>Writes an operation's file into its rows, part after part.</summary>
internal sealed class FileWriter(OperationsTable table, Operation operation, OperationContext progress) : OperationFile
{
    /// <summary>Bytes of a part.</summary>
    public const int Part = 1 << 20;

    private readonly byte[] _part = new byte[Part];
    private int _length;
    private int _next;
    private long _written;

    public override bool CanRead => false;

    public override bool CanWrite => true;

    public override async ValueTask WriteAsync(
        ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!buffer.IsEmpty)
        {
            var length = Math.Min(buffer.Length, Part - _length);
            buffer[..length].CopyTo(_part.AsMemory(_length));
            buffer = buffer[length..];
            _length += length;
            if (_length == Part)
            {
                await WritePartAsync(cancellationToken);
            }
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <summary>Writes what is left. Without it the file ends with the last full part.</summary>
    public async Task FinishAsync(CancellationToken ct)
    {
        if (_length > 0)
        {
            await WritePartAsync(ct);
        }
    }

    private async Task WritePartAsync(CancellationToken ct)
    {
        await table.WritePartAsync(operation, _next++, _part.AsMemory(0, _length), ct);
        _written += _length;
        _length = 0;
        progress.Report(_written, progress.Total);
    }
}

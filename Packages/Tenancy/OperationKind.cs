using System.Text.Json.Nodes;
using Tenancy.Operations;

namespace Tenancy;

/// <summary>
/// Something that takes long and that somebody may ask for. The library has <see cref="OperationKinds"/>; an
/// application registers further ones as services of this type. The work may be begun again after a crash, so it has
/// to be safe to repeat.
/// </summary>
/// <param name="name">How it is asked for; 1 to 32 characters.</param>
public abstract class OperationKind(string name)
{
    /// <summary>How it is asked for.</summary>
    public string Name => name;

    /// <summary>Does it.</summary>
    /// <param name="context">What was asked for.</param>
    /// <param name="ct">Set when somebody cancels it, or the process ends.</param>
    /// <returns>What came of it; null for nothing to say.</returns>
    public abstract Task<JsonObject?> RunAsync(OperationContext context, CancellationToken ct);
}

/// <summary>One attempt at an operation.</summary>
public sealed class OperationContext
{
    private readonly OperationsTable _table;
    private long _done;
    private long _total = -1;

    internal OperationContext(OperationsTable table, Operation operation, JsonObject arguments,
        IServiceProvider services) =>
        (_table, Operation, Arguments, Services) = (table, operation, arguments, services);

    /// <summary>As it was when the attempt began.</summary>
    public Operation Operation { get; }

    /// <summary>What the kind needs to know.</summary>
    public JsonObject Arguments { get; }

    /// <summary>A scope's services. The scope serves no tenant.</summary>
    public IServiceProvider Services { get; }

    /// <summary>How it ended, where the kind returned and that isn't the whole truth.</summary>
    internal (OperationState State, string? Words) Ending { get; private set; } = (OperationState.Done, null);

    internal long Done => Interlocked.Read(ref _done);

    internal long? Total => Interlocked.Read(ref _total) is >= 0 and var total ? total : null;

    /// <summary>Says how far it is; shown within two seconds.</summary>
    /// <param name="done">In the kind's unit.</param>
    /// <param name="total">What it will be at the end; null where nobody knows.</param>
    public void Report(long done, long? total = null)
    {
        Interlocked.Exchange(ref _done, done);
        Interlocked.Exchange(ref _total, total ?? -1);
    }

    /// <summary>Says that the operation failed, although there is a result.</summary>
    /// <param name="words">Why, and what to do.</param>
    public void Fail(string words) => Ending = (OperationState.Failed, words);

    /// <summary>Says that the operation ended before its work was done, because its token was set.</summary>
    public void Cut() => Ending = (OperationState.Cancelled, null);

    /// <summary>The file that came with the request, from its beginning. Reports the bytes read as progress.</summary>
    public Stream OpenFile() => new FileReader(_table, Operation.Id, this);

    /// <summary>
    /// Writes the file that is the result; what an earlier attempt wrote is gone. Reports the bytes written as
    /// progress.
    /// </summary>
    /// <param name="write">Gets the file, which takes asynchronous writes alone.</param>
    /// <param name="ct">Ends it; the file is then incomplete.</param>
    public async Task WriteFileAsync(Func<Stream, Task> write, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(write);
        await _table.DeleteFileAsync(Operation, ct);
        await using var file = new FileWriter(_table, Operation, this);
        await write(file);
        await file.FinishAsync(ct);
    }

    /// <summary>Says how long the file is that came with the request.</summary>
    internal async Task ExpectFileAsync(CancellationToken ct) =>
        Report(0, await _table.FileLengthAsync(Operation.Id, ct));
}

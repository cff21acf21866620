using System.Text.Json.Nodes;
using Npgsql;
using Tenancy.Operations;
using Tenancy.Transfer;

namespace Tenancy;

/// <summary>
/// Operations: what somebody asks for now and what takes long. They are rows of the database, so they survive restarts,
/// and any process that runs operations (<see cref="TenantOperationsRegistration.AddTenantOperations"/>) may take the
/// next.
/// </summary>
public sealed class TenantOperations
{
    private const int MostOfName = 200;

    private readonly OperationsTable _table;
    private readonly IReadOnlyDictionary<string, OperationKind> _kinds;

    internal TenantOperations(NpgsqlDataSource database, IEnumerable<OperationKind> kinds) =>
        (_table, _kinds) = (new(database), kinds.ToDictionary(kind => kind.Name, StringComparer.Ordinal));

    /// <summary>Released when something was asked for in this process.</summary>
    internal SemaphoreSlim Asked { get; } = new(0);

    internal OperationsTable Table => _table;

    internal OperationKind? Find(string kind) => _kinds.GetValueOrDefault(kind);

    /// <summary>
    /// Asks for an operation. What concerns no single tenant and waits already with the same arguments isn't asked for
    /// twice.
    /// </summary>
    /// <param name="kind">See <see cref="OperationKinds"/>.</param>
    /// <param name="slug">The tenant; null for what concerns no single one.</param>
    /// <param name="askedBy">Who asks, for people; at most 200 characters.</param>
    /// <param name="arguments">What the kind needs to know; null for nothing.</param>
    /// <param name="file">What it reads; null for nothing. It is stored before this returns.</param>
    /// <param name="mostBytes">The longest file. Default: <see cref="TenantImportLimits.FileBytes"/>'s.</param>
    /// <param name="ct">Ends the wait; nothing was asked for then.</param>
    /// <exception cref="ArgumentException">There is no such kind.</exception>
    /// <exception cref="TenantTransferException">The file is too long.</exception>
    public async Task<Operation> AskAsync(string kind, string? slug, string askedBy, JsonObject? arguments = null,
        Stream? file = null, long? mostBytes = null, CancellationToken ct = default)
    {
        if (Find(kind) is null)
        {
            throw new ArgumentException(
                $"There is no kind of operation '{kind}', but {string.Join(", ", _kinds.Keys.Order())}.", nameof(kind));
        }

        arguments ??= [];
        var operation = slug is null && file is null ? await _table.FindQueuedAsync(kind, arguments, ct) : null;
        if (operation is null)
        {
            // A slow client holds no connection: its file is here before the transaction begins.
            await using var here = file is null
                ? null
                : await SpooledFile.OfAsync(file, mostBytes ?? new TenantImportLimits().FileBytes, ct);
            operation = await _table.AddAsync(
                kind, slug, Shortened(askedBy), arguments, here, ct);
        }

        Asked.Release();
        return operation;
    }

    /// <summary>One operation; null where there is none, or it ended more than a week ago.</summary>
    public Task<Operation?> FindAsync(Guid id, CancellationToken ct = default) => _table.FindAsync(id, ct);

    /// <summary>Operations, the newest first.</summary>
    public Task<IReadOnlyList<Operation>> ListAsync(OperationQuery query, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(query.Limit, 1000);
        return _table.ListAsync(query, ct);
    }

    /// <summary>
    /// Cancels an operation. One that waits has ended when this returns; one that runs ends within seconds, and what it
    /// had done in finished transactions stays.
    /// </summary>
    /// <param name="id">Which.</param>
    /// <param name="who">Who cancels it.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>False where it has ended, or there is none.</returns>
    public Task<bool> CancelAsync(Guid id, string who, CancellationToken ct = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(who);
        return _table.CancelAsync(id, who, ct);
    }

    /// <summary>
    /// The file that an operation has written. It is kept for a day after the operation's end. Null where there is none
    /// (any more), and while the operation runs.
    /// </summary>
    /// <returns>The file, to be read asynchronously from its beginning, and its length in bytes.</returns>
    public async Task<(Stream File, long Length)?> OpenFileAsync(Guid id, CancellationToken ct = default) =>
        await _table.FindAsync(id, ct) is { State: OperationState.Done }
            && await _table.FileLengthAsync(id, ct) is > 0 and var length
                ? (new FileReader(_table, id), length)
                : null;

    /// <summary>The column holds 200 characters. Half of one can't be stored.</summary>
    private static string Shortened(string name) => name.Length <= MostOfName ? name
        : name[..(char.IsHighSurrogate(name[MostOfName - 1]) ? MostOfName - 1 : MostOfName)];
}

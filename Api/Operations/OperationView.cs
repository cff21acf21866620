using System.Text.Json.Nodes;
using Tenancy;

namespace Api.Operations;

/// <summary>What somebody asked for and takes long.</summary>
/// <param name="Id">In its address, <c>/operations/{id}</c>.</param>
/// <param name="Kind">What is done.</param>
/// <param name="Customer">The customer's slug when it was asked for; null for what concerns no single one.</param>
/// <param name="AskedBy">Who asked.</param>
/// <param name="State">How far it is.</param>
/// <param name="Done">The progress: bytes of a file, or schemas.</param>
/// <param name="Total">What <paramref name="Done"/> will be at the end; null where nobody knows.</param>
/// <param name="Result">What came of it; null until then.</param>
/// <param name="Error">Why it failed, and what to do; null otherwise.</param>
/// <param name="CancelledBy">Who has asked to cancel it; null while nobody has.</param>
/// <param name="File">Where its file is, for a day; null where it has none.</param>
/// <param name="CreatedAt">In UTC.</param>
/// <param name="StartedAt">In UTC; null while it waits.</param>
/// <param name="EndedAt">In UTC; null until then.</param>
public sealed record OperationView(
    Guid Id, string Kind, string? Customer, string AskedBy, OperationState State, long Done, long? Total,
    JsonObject? Result, string? Error, string? CancelledBy, string? File, DateTimeOffset CreatedAt,
    DateTimeOffset? StartedAt, DateTimeOffset? EndedAt)
{
    /// <summary>As long as the library keeps files.</summary>
    private static readonly TimeSpan FilesKept = TimeSpan.FromDays(1);

    internal static string At(Guid id) => $"/operations/{id}";

    /// <param name="o">The operation.</param>
    /// <param name="now">By when a file is over; null where that can't be.</param>
    internal static OperationView Of(Operation o, DateTimeOffset? now = null) => new(
        o.Id, o.Kind, o.Slug, o.AskedBy, o.State, o.Done, o.Total, o.Result, o.Error, o.Cancel,
        o is { Kind: OperationKinds.Export, State: OperationState.Done } && !(o.EndedAt + FilesKept < now)
            ? $"{At(o.Id)}/file"
            : null,
        o.CreatedAt, o.StartedAt, o.EndedAt);
}

/// <summary>Operations, the newest first.</summary>
/// <param name="Items">At most as many as were asked for.</param>
/// <param name="Next">What <c>before</c> takes for the next page; null on the last one.</param>
public sealed record OperationPage(IReadOnlyList<OperationView> Items, Guid? Next);

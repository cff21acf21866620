using System.Text.Json.Nodes;
using Web.Api;

namespace Web.Operations;

/// <summary>What takes long: exports, clones, imports, moves, runs over all customers.</summary>
public sealed class OperationsClient(HttpClient http, Visit? visit = null)
{
    public Task<Result<Operation>> FindAsync(Guid id, CancellationToken ct) =>
        http.SendAsync<Operation>(visit, "find operation", new(HttpMethod.Get, $"/operations/{id}"), ct);

    /// <summary>Operations, the newest first. What is null or empty narrows nothing.</summary>
    /// <param name="customer">The slug that the customer had when the operation was asked for.</param>
    /// <param name="kind">For example <c>export</c>.</param>
    /// <param name="state">For example <c>running</c>.</param>
    /// <param name="before">The <see cref="OperationPage.Next"/> of the page before.</param>
    /// <param name="pageSize">1 to 200.</param>
    /// <param name="ct">Gives up waiting.</param>
    public Task<Result<OperationPage>> ListAsync(
        string? customer, string? kind, string? state, Guid? before, int pageSize, CancellationToken ct)
    {
        var query = string.Concat(new[] { ("customer", customer), ("kind", kind), ("state", state),
            ("before", before?.ToString()) }.Where(part => !string.IsNullOrEmpty(part.Item2))
            .Select(part => $"&{part.Item1}={Uri.EscapeDataString(part.Item2!)}"));
        return http.SendAsync<OperationPage>(
            visit, "list operations", new(HttpMethod.Get, $"/operations?pageSize={pageSize}{query}"), ct);
    }

    /// <summary>Asks that an operation ends. Never sent twice.</summary>
    public Task<Result<Operation>> CancelAsync(Guid id, CancellationToken ct) =>
        http.SendAsync<Operation>(visit, "cancel operation", new(HttpMethod.Post, $"/operations/{id}/cancel"), ct);

    /// <summary>
    /// Opens the file that an operation has made. The answer comes with its head alone: the body is read by the caller,
    /// who disposes of it.
    /// </summary>
    public async Task<HttpResponseMessage> OpenFileAsync(Guid id, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/operations/{id}/file");
        if (visit is not null && await visit.CredentialAsync() is { } credential)
        {
            request.Headers.Authorization = new("Bearer", credential);
        }

        return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
    }
}

/// <summary>What somebody asked for and takes long.</summary>
/// <param name="Id">In its address.</param>
/// <param name="Kind">What is done, as the API names it.</param>
/// <param name="Customer">The customer's slug when it was asked for; null for what concerns no single one.</param>
/// <param name="AskedBy">Who asked.</param>
/// <param name="State"><c>queued</c>, <c>running</c>, <c>done</c>, <c>failed</c> or <c>cancelled</c>.</param>
/// <param name="Done">The progress: bytes of a file, or schemas.</param>
/// <param name="Total">What <paramref name="Done"/> will be at the end; null where nobody knows.</param>
/// <param name="Result">What came of it; null until then.</param>
/// <param name="Error">Why it failed, and what to do; null otherwise.</param>
/// <param name="CancelledBy">Who has asked to cancel it; null while nobody has.</param>
/// <param name="File">Where the API has its file, for a day; null where it has none.</param>
/// <param name="CreatedAt">In UTC.</param>
/// <param name="StartedAt">In UTC; null while it waits.</param>
/// <param name="EndedAt">In UTC; null until then.</param>
public sealed record Operation(
    Guid Id, string Kind, string? Customer, string AskedBy, string State, long Done, long? Total, JsonObject? Result,
    string? Error, string? CancelledBy, string? File, DateTimeOffset CreatedAt, DateTimeOffset? StartedAt,
    DateTimeOffset? EndedAt)
{
    /// <summary>Whether it has ended, however.</summary>
    public bool IsOver => State is not ("queued" or "running");

    /// <summary>Where the console serves its file to a browser; null where there is none.</summary>
    public string? FileAddress => File is null ? null : $"/operations/{Id}/file";
}

/// <summary>A page of operations.</summary>
/// <param name="Items">The newest first.</param>
/// <param name="Next">Goes on with the next page; null on the last one.</param>
public sealed record OperationPage(IReadOnlyList<Operation> Items, Guid? Next);

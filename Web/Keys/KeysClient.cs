using Web.Api;

namespace Web.Keys;

/// <summary>The API keys of customers. No write is sent twice.</summary>
public sealed class KeysClient(HttpClient http, Visit? visit = null)
{
    /// <param name="customer">Whose, by slug.</param>
    /// <param name="page">From 1.</param>
    /// <param name="pageSize">1 to 200.</param>
    /// <param name="ct">Gives up waiting.</param>
    public Task<Result<Page<ApiKey>>> ListAsync(string customer, int page, int pageSize, CancellationToken ct) =>
        http.SendAsync<Page<ApiKey>>(visit, "list keys", new(HttpMethod.Get,
            $"/api-keys?customer={Uri.EscapeDataString(customer)}&page={page}&pageSize={pageSize}"), ct);

    /// <summary>Makes a key. Its text is in this answer and nowhere else.</summary>
    public Task<Result<MadeKey>> CreateAsync(string customer, string name, CancellationToken ct) =>
        http.SendAsync<MadeKey>(visit, "create key",
            new(HttpMethod.Post, "/api-keys") { Content = JsonContent.Create(new { name, customer }) }, ct);

    public Task<Result<Done>> RevokeAsync(string id, CancellationToken ct) =>
        http.SendAsync<Done>(
            visit, "revoke key", new(HttpMethod.Delete, $"/api-keys/{Uri.EscapeDataString(id)}"), ct);
}

/// <summary>A key without its secret; the times are null for what didn't happen.</summary>
public sealed record ApiKey(
    string Id, string Name, string? Customer, DateTimeOffset CreatedAt, DateTimeOffset? LastUsedAt,
    DateTimeOffset? RevokedAt);

/// <summary>A new key; <paramref name="Key"/> is the text to be sent, and nobody can read it again.</summary>
public sealed record MadeKey(string Id, string Name, string? Customer, DateTimeOffset CreatedAt, string Key);

/// <summary>What somebody enters to make a key.</summary>
public sealed class NewKey : Web.Shell.IForm
{
    public string Name { get; set; } = "";

    public IEnumerable<Web.Shell.FieldError> Check()
    {
        if (string.IsNullOrWhiteSpace(Name))
        {
            yield return new("name", "Say what the key is for.");
        }
    }
}

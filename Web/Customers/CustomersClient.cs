using System.Net;
using Web.Api;

namespace Web.Customers;

/// <summary>The operators' side of the API: which customers there are.</summary>
public sealed class CustomersClient(HttpClient http, Visit? visit = null)
{
    /// <param name="page">From 1.</param>
    /// <param name="pageSize">1 to 200.</param>
    /// <param name="search">Part of a slug or a name; null or empty for all.</param>
    /// <param name="ct">Gives up waiting.</param>
    public Task<Result<Page<Customer>>> ListAsync(int page, int pageSize, string? search, CancellationToken ct)
    {
        var query = string.IsNullOrWhiteSpace(search) ? "" : $"&search={Uri.EscapeDataString(search.Trim())}";
        return http.SendAsync<Page<Customer>>(
            visit, "list customers", new(HttpMethod.Get, $"/customers?page={page}&pageSize={pageSize}{query}"), ct);
    }

    public async Task<Result<Customer>> FindAsync(string slug, CancellationToken ct) => NewCustomer.IsSlug(slug)
        ? await http.SendAsync<Customer>(visit, "find customer", new(HttpMethod.Get, $"/customers/{slug}"), ct)
        : Unknown(slug);

    /// <summary>Creates a customer and all that belongs to it. Never sent twice.</summary>
    public Task<Result<Customer>> CreateAsync(NewCustomer customer, CancellationToken ct) =>
        http.SendAsync<Customer>(visit, "create customer",
            new(HttpMethod.Post, "/customers") { Content = JsonContent.Create(new { customer.Slug, customer.Name }) },
            ct);

    /// <summary>
    /// What can't be a slug comes from an address someone typed; it isn't sent, because a path or a header could take
    /// it for something else.
    /// </summary>
    internal static Problem Unknown(string slug) =>
        new("Unknown customer.", $"No customer has the slug '{slug}'.") { Status = HttpStatusCode.NotFound };
}

/// <param name="Id">Stays, whatever is renamed.</param>
/// <param name="Slug">Its name in addresses.</param>
/// <param name="Name">Its name in words.</param>
/// <param name="Schema">The PostgreSQL schema that holds its data.</param>
/// <param name="Status"><c>active</c>, <c>suspended</c> or <c>archived</c>.</param>
/// <param name="Availability"><c>served</c>, or why it isn't: <c>upgrading</c>, <c>failed</c>, <c>provisioning</c>,
/// <c>suspended</c>, <c>closed</c>.</param>
/// <param name="Ring">When it is upgraded: 0 first.</param>
/// <param name="CreatedAt">In UTC.</param>
/// <param name="Version">The short name of its schema's set of migrations; empty for none.</param>
/// <param name="LastMigration">The last migration that its schema has.</param>
/// <param name="MigratedAt">When that changed last.</param>
/// <param name="LastError">What its last migration said when it failed; null after one that succeeded.</param>
/// <param name="FailedAt">When a migration last failed.</param>
/// <param name="DropAfter">When it may be removed; null where nobody deleted it.</param>
/// <param name="Bytes">The size of its tables and indexes, a sample: 0 for what PostgreSQL hasn't measured yet.</param>
public sealed record Customer(
    Guid Id, string Slug, string Name, string Schema, string Status, string Availability, int Ring,
    DateTimeOffset CreatedAt, string? Version = null, string? LastMigration = null, DateTimeOffset? MigratedAt = null,
    string? LastError = null, DateTimeOffset? FailedAt = null, DateTimeOffset? DropAfter = null, long Bytes = 0);

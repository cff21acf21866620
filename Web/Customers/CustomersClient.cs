using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using Web.Api;
using Web.Operations;

namespace Web.Customers;

/// <summary>
/// The operators' side of the API: who the customers are, and what happens to them. No write is sent twice.
/// </summary>
public sealed class CustomersClient(HttpClient http, Visit? visit = null)
{
    /// <summary>What stays, or is the API's choice, isn't said.</summary>
    private static readonly JsonSerializerOptions Written = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <param name="page">From 1.</param>
    /// <param name="pageSize">1 to 200.</param>
    /// <param name="search">Part of a slug or a name; null or empty for all.</param>
    /// <param name="ct">Gives up waiting.</param>
    public Task<Result<Page<Customer>>> ListAsync(int page, int pageSize, string? search, CancellationToken ct) =>
        ListAsync(
            new()
            {
                Page = page, PageSize = pageSize, Search = string.IsNullOrWhiteSpace(search) ? null : search.Trim(),
            }, ct);

    public Task<Result<Page<Customer>>> ListAsync(CustomerQuery query, CancellationToken ct) =>
        http.SendAsync<Page<Customer>>(visit, "list customers", new(HttpMethod.Get, query.Request), ct);

    /// <summary>How many customers each filter finds.</summary>
    /// <param name="search">As in the list; null for all.</param>
    /// <param name="ct">Gives up waiting.</param>
    public Task<Result<CustomerCounts>> CountAsync(string? search, CancellationToken ct) =>
        http.SendAsync<CustomerCounts>(visit, "count customers",
            new(HttpMethod.Get, $"/customer-counts?search={Uri.EscapeDataString(search ?? "")}"), ct);

    public Task<Result<Customer>> FindAsync(string slug, CancellationToken ct) =>
        OfAsync<Customer>(slug, "find customer", HttpMethod.Get, "", null, ct);

    /// <summary>Creates a customer and all that belongs to it.</summary>
    public Task<Result<Customer>> CreateAsync(NewCustomer customer, CancellationToken ct)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/customers")
        {
            Content = JsonContent.Create(new { customer.Slug, customer.Name, customer.Database }, options: Written),
        };
        request.Headers.Add(
            WriteKey.Header, customer.Key.For($"{customer.Slug}\n{customer.Name}\n{customer.Database}"));
        return http.SendAsync<Customer>(visit, "create customer", request, ct);
    }

    /// <summary>Changes a customer; what is null stays.</summary>
    public Task<Result<Done>> ChangeAsync(string slug, CustomerChange change, CancellationToken ct) =>
        OfAsync<Done>(slug, "change customer", HttpMethod.Patch, "", JsonContent.Create(change, options: Written), ct);

    /// <summary>Stops serving a customer, serves it again, or archives it.</summary>
    /// <param name="slug">Whom.</param>
    /// <param name="verb"><c>suspend</c>, <c>resume</c> or <c>archive</c>.</param>
    /// <param name="ct">Gives up waiting.</param>
    public Task<Result<Done>> SetStatusAsync(string slug, string verb, CancellationToken ct) =>
        OfAsync<Done>(slug, $"{verb} customer", HttpMethod.Post, $"/{verb}", null, ct);

    /// <summary>Archives a customer and marks it for removal.</summary>
    /// <param name="slug">Whom; the caller has had it typed again.</param>
    /// <param name="graceDays">For how many days it can be taken back; 0 removes it at once.</param>
    /// <param name="ct">Gives up waiting.</param>
    public Task<Result<DeletedCustomer>> DropAsync(string slug, int graceDays, CancellationToken ct) =>
        OfAsync<DeletedCustomer>(
            slug, "delete customer", HttpMethod.Delete, $"?confirm={slug}&graceDays={graceDays}", null, ct);

    /// <summary>Makes a token by which an operator acts for a customer.</summary>
    public Task<Result<Impersonation>> ImpersonateAsync(
        string slug, string reason, int minutes, CancellationToken ct) =>
            OfAsync<Impersonation>(slug, "impersonate customer", HttpMethod.Post, "/impersonation",
                JsonContent.Create(new { reason, minutes }), ct);

    /// <summary>Begins to export a customer: the operation has the file.</summary>
    public Task<Result<Operation>> ExportAsync(string slug, CancellationToken ct) =>
        OfAsync<Operation>(slug, "export customer", HttpMethod.Post, "/export", null, ct);

    /// <summary>Begins to make a customer with another one's rows.</summary>
    public Task<Result<Operation>> CloneAsync(string slug, NewCustomer clone, CancellationToken ct) =>
        OfAsync<Operation>(slug, "clone customer", HttpMethod.Post, "/clone",
            JsonContent.Create(new { clone.Slug, clone.Name, clone.Database }, options: Written), ct);

    /// <summary>Begins to move a customer to another database.</summary>
    /// <param name="slug">Whom.</param>
    /// <param name="database">The database; <c>first</c> for the first one.</param>
    /// <param name="ct">Gives up waiting.</param>
    public Task<Result<Operation>> MoveAsync(string slug, string database, CancellationToken ct) =>
        OfAsync<Operation>(slug, "move customer", HttpMethod.Post, "/move", JsonContent.Create(new { database }), ct);

    /// <summary>Sends an export and begins to make a customer of it. It may take as long as it takes.</summary>
    /// <param name="customer">Whom it becomes.</param>
    /// <param name="export">The file, which this reads once.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <param name="ct">Ends the upload.</param>
    public Task<Result<Operation>> ImportAsync(
        NewCustomer customer, Stream export, long length, CancellationToken ct)
    {
        var content = new StreamContent(export) { Headers = { ContentType = new("application/zip") } };
        content.Headers.ContentLength = length;
        var name = Uri.EscapeDataString(customer.Name.Trim());
        var database = customer.Database is null ? "" : $"&database={customer.Database}";
        var request = new HttpRequestMessage(
            HttpMethod.Post, $"/customers/{customer.Slug}/import?name={name}{database}")
        {
            Content = content,
        };
        request.Options.Set(ApiClients.TakesItsTime, true);
        return SendAsync<Operation>(customer.Slug, "import customer", request, ct);
    }

    /// <summary>Begins to migrate those of the customers whose last migration failed.</summary>
    public Task<Result<Operation>> RetryAsync(IReadOnlyList<string> customers, CancellationToken ct) =>
        http.SendAsync<Operation>(visit, "retry customers",
            new(HttpMethod.Post, "/fleet/retry") { Content = JsonContent.Create(new { customers }) }, ct);

    private Task<Result<T>> OfAsync<T>(string slug, string what, HttpMethod method, string below, HttpContent? content,
        CancellationToken ct) where T : class =>
            SendAsync<T>(slug, what, new(method, $"/customers/{slug}{below}") { Content = content }, ct);

    private async Task<Result<T>> SendAsync<T>(
        string slug, string what, HttpRequestMessage request, CancellationToken ct) where T : class
    {
        if (!NewCustomer.IsSlug(slug))
        {
            request.Dispose();
            return Unknown(slug);
        }

        return await http.SendAsync<T>(visit, what, request, ct);
    }

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
/// <param name="Database">The database that has its schema; null for the first one.</param>
public sealed record Customer(
    Guid Id, string Slug, string Name, string Schema, string Status, string Availability, int Ring,
    DateTimeOffset CreatedAt, string? Version = null, string? LastMigration = null, DateTimeOffset? MigratedAt = null,
    string? LastError = null, DateTimeOffset? FailedAt = null, DateTimeOffset? DropAfter = null, long Bytes = 0,
    string? Database = null);

/// <summary>How many customers each filter of the list finds.</summary>
public sealed record CustomerCounts(
    int Total, int Active, int Suspended, int Archived, int Failed, int Behind, int Dropping,
    IReadOnlyList<RingCount>? Rings);

/// <summary>How many customers a ring has.</summary>
public sealed record RingCount(int Ring, int Customers);

/// <summary>What changes of a customer; null for what stays.</summary>
public sealed record CustomerChange(string? Slug = null, string? Name = null, int? Ring = null);

/// <summary>A customer that is marked for removal.</summary>
/// <param name="Slug">Whose.</param>
/// <param name="DropAfter">When it may be removed.</param>
/// <param name="Operation">The operation that removes it, where that begins at once; else null.</param>
public sealed record DeletedCustomer(string Slug, DateTimeOffset DropAfter, Guid? Operation);

/// <summary>A token by which an operator acts for a customer.</summary>
/// <param name="Id">In the audit with each use.</param>
/// <param name="Customer">The customer's slug.</param>
/// <param name="ExpiresAt">Until when it is taken.</param>
/// <param name="Token">To be sent instead of a key. Nobody can read it again.</param>
public sealed record Impersonation(Guid Id, string Customer, DateTimeOffset ExpiresAt, string Token);

using System.Text.Json.Serialization;
using Web.Api;
using Web.Customers;

namespace Web.Contacts;

/// <summary>Whom one customer sends invoices to. The customer is named on every call.</summary>
public sealed class ContactsClient(HttpClient http, Visit? visit = null)
{
    /// <param name="customer">The customer's slug.</param>
    /// <param name="search">Part of a name or an address; null or empty for all.</param>
    /// <param name="page">From 1.</param>
    /// <param name="pageSize">1 to 200.</param>
    /// <param name="ct">Gives up waiting.</param>
    /// <param name="sort"><c>name</c>, <c>-name</c>, <c>email</c> or <c>-email</c>; null for <c>name</c>.</param>
    public Task<Result<Page<Contact>>> ListAsync(
        string customer, string? search, int page, int pageSize, CancellationToken ct, string? sort = null)
    {
        var query = string.IsNullOrWhiteSpace(search) ? "" : $"&search={Uri.EscapeDataString(search.Trim())}";
        query += sort is null ? "" : $"&sort={Uri.EscapeDataString(sort)}";
        return SendAsync<Page<Contact>>(
            customer, "list contacts", new(HttpMethod.Get, $"/contacts?page={page}&pageSize={pageSize}{query}"), ct);
    }

    public Task<Result<Contact>> FindAsync(string customer, Guid id, CancellationToken ct) =>
        SendAsync<Contact>(customer, "find contact", new(HttpMethod.Get, $"/contacts/{id}"), ct);

    /// <summary>Adds a contact, once for each key and content.</summary>
    public Task<Result<Contact>> CreateAsync(
        string customer, ContactForm contact, WriteKey key, CancellationToken ct) =>
        SendAsync<Contact>(
            customer, "create contact", CustomerCall.Repeatable("/contacts", customer, contact.ToWire(), key), ct);

    /// <summary>Changes a contact, if it still is the version that was seen.</summary>
    public Task<Result<Contact>> ChangeAsync(
        string customer, Guid id, ContactForm contact, string? version, CancellationToken ct) =>
        SendAsync<Contact>(customer, "change contact",
            new HttpRequestMessage(HttpMethod.Put, $"/contacts/{id}")
            {
                Content = JsonContent.Create(contact.ToWire()),
            }.If(version), ct);

    /// <summary>Deletes a contact that has no invoices, if it still is the version that was seen.</summary>
    public Task<Result<Done>> DeleteAsync(string customer, Guid id, string? version, CancellationToken ct) =>
        SendAsync<Done>(
            customer, "delete contact", new HttpRequestMessage(HttpMethod.Delete, $"/contacts/{id}").If(version), ct);

    private Task<Result<T>> SendAsync<T>(
        string customer, string what, HttpRequestMessage request, CancellationToken ct) where T : class =>
        http.SendForAsync<T>(visit, customer, what, request, ct);
}

/// <summary>Somebody whom a customer sends invoices to.</summary>
public sealed record Contact(Guid Id, string Name, string? Email) : IVersioned
{
    [JsonIgnore]
    public string? Version { get; set; }
}

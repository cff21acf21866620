using System.Text.Json.Serialization;
using Web.Api;
using Web.Contacts;
using Web.Customers;

namespace Web.Invoices;

/// <summary>One customer's invoices. The customer is named on every call.</summary>
public sealed class InvoicesClient(HttpClient http, Visit? visit = null)
{
    /// <param name="customer">The customer's slug.</param>
    /// <param name="filter">Which ones, and which page of them.</param>
    /// <param name="pageSize">1 to 200.</param>
    /// <param name="ct">Gives up waiting.</param>
    public Task<Result<Page<InvoiceSummary>>> ListAsync(
        string customer, InvoiceFilter filter, int pageSize, CancellationToken ct)
    {
        var query = filter.Parameters();
        return SendAsync<Page<InvoiceSummary>>(customer, "list invoices",
            new(HttpMethod.Get, $"/invoices?pageSize={pageSize}{(query is "" ? "" : $"&{query}")}"), ct);
    }

    /// <summary>How many invoices there are, and what is owed.</summary>
    public Task<Result<InvoicesOverview>> OverviewAsync(string customer, CancellationToken ct) =>
        SendAsync<InvoicesOverview>(customer, "read overview", new(HttpMethod.Get, "/invoices/overview"), ct);

    public Task<Result<Invoice>> FindAsync(string customer, Guid id, CancellationToken ct) =>
        SendAsync<Invoice>(customer, "find invoice", new(HttpMethod.Get, $"/invoices/{id}"), ct);

    /// <summary>Creates an invoice, once for each key and content.</summary>
    public Task<Result<Invoice>> CreateAsync(
        string customer, NewInvoice invoice, WriteKey key, CancellationToken ct) =>
        SendAsync<Invoice>(
            customer, "create invoice", CustomerCall.Repeatable("/invoices", customer, invoice.ToWire(), key), ct);

    /// <summary>Writes an invoice anew, if it still is the version that was seen.</summary>
    public Task<Result<Invoice>> ChangeAsync(
        string customer, Guid id, NewInvoice invoice, string? version, CancellationToken ct) =>
        SendAsync<Invoice>(customer, "change invoice",
            new HttpRequestMessage(HttpMethod.Put, $"/invoices/{id}")
            {
                Content = JsonContent.Create(invoice.ToWire()),
            }.If(version), ct);

    /// <summary>Marks an invoice as paid, if it still is the version that was seen.</summary>
    public Task<Result<Invoice>> PayAsync(
        string customer, Guid id, DateOnly paidOn, string? version, WriteKey key, CancellationToken ct) =>
        SendAsync<Invoice>(customer, "pay invoice",
            CustomerCall.Repeatable($"/invoices/{id}/payment", customer, new { paidOn }, key).If(version), ct);

    /// <summary>Deletes an invoice, if it still is the version that was seen.</summary>
    public Task<Result<Done>> DeleteAsync(string customer, Guid id, string? version, CancellationToken ct) =>
        SendAsync<Done>(
            customer, "delete invoice", new HttpRequestMessage(HttpMethod.Delete, $"/invoices/{id}").If(version), ct);

    /// <summary>Creates the invoices of a CSV file, all of them or none; once for each key.</summary>
    /// <param name="customer">The customer's slug.</param>
    /// <param name="csv">The file.</param>
    /// <param name="key">The file's: another file has another one.</param>
    /// <param name="ct">Gives up waiting.</param>
    public Task<Result<ImportedInvoices>> ImportAsync(
        string customer, Stream csv, WriteKey key, CancellationToken ct)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/invoices/import")
        {
            Content = new StreamContent(csv) { Headers = { ContentType = new("text/csv") } },
        };
        request.Headers.Add(WriteKey.Header, key.For(customer));
        return SendAsync<ImportedInvoices>(customer, "import invoices", request, ct);
    }

    /// <summary>The currencies invoices can be written in. They are the same for all customers.</summary>
    public Task<Result<Currency[]>> CurrenciesAsync(CancellationToken ct) =>
        http.SendAsync<Currency[]>(visit, "list currencies", new(HttpMethod.Get, "/currencies"), ct);

    /// <summary>What the customer has chosen for itself.</summary>
    public Task<Result<CustomerSettings>> SettingsAsync(string customer, CancellationToken ct) =>
        SendAsync<CustomerSettings>(customer, "read settings", new(HttpMethod.Get, "/settings"), ct);

    /// <summary>Chooses anew. Done twice, it is the same.</summary>
    public Task<Result<CustomerSettings>> ChooseAsync(
        string customer, CustomerSettings settings, CancellationToken ct) =>
        SendAsync<CustomerSettings>(customer, "write settings",
            new(HttpMethod.Put, "/settings") { Content = JsonContent.Create(settings) }, ct);

    private Task<Result<T>> SendAsync<T>(
        string customer, string what, HttpRequestMessage request, CancellationToken ct) where T : class =>
        http.SendForAsync<T>(visit, customer, what, request, ct);
}

/// <param name="Code">ISO 4217, for example <c>EUR</c>.</param>
/// <param name="Name">In words.</param>
/// <param name="Decimals">How many decimals its amounts have: 0 for yen, 2 for euro, 3 for Kuwaiti dinar.</param>
public sealed record Currency(string Code, string Name, int Decimals);

/// <summary>What a customer has chosen for itself.</summary>
/// <param name="Currency">The code of the currency that a new invoice begins with; null for none.</param>
public sealed record CustomerSettings(string? Currency);

/// <summary>
/// An invoice in a list. <paramref name="Currency"/> is the code, <paramref name="Contact"/> the name.
/// </summary>
public sealed record InvoiceSummary(
    Guid Id, int Number, string Contact, string Currency, int Decimals, DateOnly IssuedOn, DateOnly DueOn,
    string Status, decimal Total);

public sealed record Invoice(
    Guid Id, int Number, Contact Contact, Currency Currency, DateOnly IssuedOn, DateOnly DueOn, DateOnly? PaidOn,
    string Status, decimal Total,
    IReadOnlyList<InvoiceLine> Lines) : IVersioned
{
    [JsonIgnore]
    public string? Version { get; set; }
}

public sealed record InvoiceLine(
    Guid Id, int Position, string Description, decimal Quantity, decimal UnitPrice, decimal Total);

/// <summary>What an import wrote. The numbers are the first and the last invoice's.</summary>
public sealed record ImportedInvoices(int Invoices, int Lines, int FirstNumber, int LastNumber);

/// <param name="Today">The day that tells what is overdue.</param>
/// <param name="Counts">Of all invoices.</param>
/// <param name="Balances">By currency; a currency in which nothing is owed has none.</param>
public sealed record InvoicesOverview(DateOnly Today, InvoiceCounts Counts, IReadOnlyList<AgedBalance> Balances);

/// <summary>Invoices by status. What is overdue isn't counted as open.</summary>
public sealed record InvoiceCounts(int Open, int Overdue, int Paid)
{
    public int All => Open + Overdue + Paid;
}

/// <summary>What is owed in one currency. The last four amounts come to <paramref name="Owed"/>.</summary>
public sealed record AgedBalance(
    string Currency, int Decimals, int Invoices, decimal Owed, decimal NotDue, decimal OverdueTo30,
    decimal OverdueTo60, decimal OverdueMore);

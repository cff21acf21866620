using Web.Api;
using Web.Customers;

namespace Web.Invoices;

/// <summary>
/// One customer's side of the API. The customer is named on every call and goes with that request as a header: the
/// client remembers nobody.
/// </summary>
public sealed class InvoicesClient(HttpClient http, Visit? visit = null)
{
    private const string Header = "X-Customer";

    /// <param name="customer">The customer's slug.</param>
    /// <param name="page">From 1.</param>
    /// <param name="pageSize">1 to 200.</param>
    /// <param name="ct">Gives up waiting.</param>
    public Task<Result<Page<InvoiceSummary>>> ListAsync(
        string customer, int page, int pageSize, CancellationToken ct) =>
            SendAsync<Page<InvoiceSummary>>(
                customer, "list invoices", new(HttpMethod.Get, $"/invoices?page={page}&pageSize={pageSize}"), ct);

    public Task<Result<Invoice>> FindAsync(string customer, Guid id, CancellationToken ct) =>
        SendAsync<Invoice>(customer, "find invoice", new(HttpMethod.Get, $"/invoices/{id}"), ct);

    /// <summary>Creates an invoice. Never sent twice.</summary>
    public Task<Result<Invoice>> CreateAsync(string customer, NewInvoice invoice, CancellationToken ct) =>
        SendAsync<Invoice>(customer, "create invoice",
            new(HttpMethod.Post, "/invoices") { Content = JsonContent.Create(invoice.ToWire()) }, ct);

    /// <summary>Creates the invoices of a CSV file, all of them or none. Never sent twice.</summary>
    public Task<Result<ImportedInvoices>> ImportAsync(string customer, Stream csv, CancellationToken ct) =>
        SendAsync<ImportedInvoices>(customer, "import invoices",
            new(HttpMethod.Post,
                "/invoices/import") { Content =
                    new StreamContent(csv) { Headers = { ContentType = new("text/csv") } } }, ct);

    /// <summary>The currencies invoices can be written in. They are the same for all customers.</summary>
    public Task<Result<Currency[]>> CurrenciesAsync(CancellationToken ct) =>
        http.SendAsync<Currency[]>(visit, "list currencies", new(HttpMethod.Get, "/currencies"), ct);

    private async Task<Result<T>> SendAsync<T>(
        string customer, string what, HttpRequestMessage request, CancellationToken ct) where T : class
    {
        if (!NewCustomer.IsSlug(customer))
        {
            return CustomersClient.Unknown(customer);
        }

        request.Headers.Add(Header, customer);
        return await http.SendAsync<T>(visit, what, request, ct);
    }
}

/// <param name="Code">ISO 4217, for example <c>EUR</c>.</param>
/// <param name="Name">In words.</param>
/// <param name="Decimals">How many decimals its amounts have: 0 for yen, 2 for euro, 3 for Kuwaiti dinar.</param>
public sealed record Currency(string Code, string Name, int Decimals);

/// <summary>
/// An invoice in a list. <paramref name="Currency"/> is the code, <paramref name="Contact"/> the name.
/// </summary>
public sealed record InvoiceSummary(
    Guid Id, int Number, string Contact, string Currency, int Decimals, DateOnly IssuedOn, DateOnly DueOn,
    string Status, decimal Total);

public sealed record Invoice(
    Guid Id, int Number, Contact Contact, Currency Currency, DateOnly IssuedOn, DateOnly DueOn, DateOnly? PaidOn,
    string Status, decimal Total,
    IReadOnlyList<InvoiceLine> Lines);

/// <summary>What an import wrote. The numbers are the first and the last invoice's.</summary>
public sealed record ImportedInvoices(int Invoices, int Lines, int FirstNumber, int LastNumber);

public sealed record Contact(Guid Id, string Name, string? Email);

public sealed record InvoiceLine(
    Guid Id, int Position, string Description, decimal Quantity, decimal UnitPrice, decimal Total);

using Web.Api;

namespace Web.Reports;

/// <summary>The operators' reports across all customers.</summary>
public sealed class ReceivablesClient(HttpClient http, Visit? visit = null)
{
    public Task<Result<Receivables>> ReadAsync(CancellationToken ct) =>
        http.SendAsync<Receivables>(visit, "read receivables", new(HttpMethod.Get, "/reports/receivables"), ct);
}

/// <param name="Balances">By customer and currency; a customer to whom nothing is owed has none.</param>
/// <param name="Missing">The customers that couldn't be read: what they are owed is in no figure.</param>
/// <param name="Read">How many customers were read.</param>
/// <param name="At">When.</param>
public sealed record Receivables(
    IReadOnlyList<Balance> Balances, IReadOnlyList<MissingCustomer> Missing, int Read, DateTimeOffset At);

/// <summary>
/// What is owed to one customer in one currency; <paramref name="Overdue"/> is a part of <paramref name="Open"/>.
/// </summary>
public sealed record Balance(
    string Slug, string Name, string Currency, int Decimals, int OpenInvoices, decimal Open, decimal Overdue);

public sealed record MissingCustomer(string Slug, string Name, string Reason);

using Web.Shell;

namespace Web.Reports;

/// <summary>The report as it is shown: one row per customer, a pair of columns per currency.</summary>
/// <param name="Currencies">By code, the customers' total in each. Currencies are never added up.</param>
/// <param name="Customers">By name.</param>
internal sealed record Owed(IReadOnlyList<CurrencyTotal> Currencies, IReadOnlyList<CustomerOwed> Customers)
{
    public static Owed Of(Receivables report) => new(
        [.. report.Balances.GroupBy(balance => (balance.Currency, balance.Decimals))
            .Select(one => new CurrencyTotal(
                one.Key.Currency, one.Key.Decimals, one.Sum(balance => balance.OpenInvoices),
                one.Sum(balance => balance.Open), one.Sum(balance => balance.Overdue)))
            .OrderBy(total => total.Currency, StringComparer.Ordinal)],
        [.. report.Balances.GroupBy(balance => balance.Slug, StringComparer.Ordinal)
            .Select(one => new CustomerOwed(one.Key, one.First().Name, one.ToDictionary(balance => balance.Currency)))
            .OrderBy(customer => customer.Name, StringComparer.CurrentCultureIgnoreCase)
            .ThenBy(customer => customer.Slug, StringComparer.Ordinal)]);

    /// <summary>The customers that somebody asked for.</summary>
    /// <param name="search">Part of a name or a slug; null or empty for all.</param>
    /// <param name="currency">Only those to whom something is owed in it; null or empty for any.</param>
    /// <param name="isOverdue">Only those to whom something is overdue, in that currency.</param>
    /// <param name="sort">
    /// <c>owed</c> or <c>overdue</c>, the most of <paramref name="currency"/> first; anything else is by name.
    /// </param>
    public IReadOnlyList<CustomerOwed> Where(string? search, string? currency, bool isOverdue, string? sort)
    {
        var text = search?.Trim() ?? "";
        var some = Customers.Where(customer =>
            (customer.Name.Contains(text, StringComparison.CurrentCultureIgnoreCase)
                || customer.Slug.Contains(text, StringComparison.OrdinalIgnoreCase))
            && customer.In(currency).Any(balance => !isOverdue || balance.Overdue > 0));
        // Amounts of several currencies have no order.
        return string.IsNullOrEmpty(currency) ? [.. some] : sort switch
        {
            "owed" => [.. some.OrderByDescending(customer => customer.Balances[currency].Open)],
            "overdue" => [.. some.OrderByDescending(customer => customer.Balances[currency].Overdue)],
            _ => [.. some],
        };
    }

    /// <summary>
    /// All customers as a file. Those that couldn't be read are the last, with the reason in the last column.
    /// </summary>
    public static byte[] ToCsv(Receivables report)
    {
        var owed = Of(report);
        var csv = new Csv(
        [
            "customer", "slug", "unpaid invoices",
            .. owed.Currencies.SelectMany(total => new[] { $"owed {total.Currency}", $"overdue {total.Currency}" }),
            "not read because",
        ]);
        foreach (var customer in owed.Customers)
        {
            csv.Add(
            [
                customer.Name, customer.Slug, customer.Invoices,
                .. owed.Currencies.SelectMany(total =>
                    customer.Balances.GetValueOrDefault(total.Currency) is { } balance
                        ? new object?[] { balance.Open, balance.Overdue }
                        : [null, null]),
                null,
            ]);
        }

        foreach (var missing in report.Missing)
        {
            csv.Add(
                [missing.Name, missing.Slug, null, .. owed.Currencies.SelectMany(_ => new object?[2]), missing.Reason]);
        }

        return csv.ToBytes();
    }
}

/// <summary>What is owed in one currency to all customers that were read.</summary>
public sealed record CurrencyTotal(string Currency, int Decimals, int Invoices, decimal Owed, decimal Overdue);

/// <summary>What is owed to one customer, by currency.</summary>
public sealed record CustomerOwed(string Slug, string Name, IReadOnlyDictionary<string, Balance> Balances)
{
    /// <summary>How many invoices are unpaid.</summary>
    public int Invoices => Balances.Values.Sum(balance => balance.OpenInvoices);

    /// <summary>The balance in a currency, or all of them where none is named.</summary>
    public IEnumerable<Balance> In(string? currency) => string.IsNullOrEmpty(currency)
        ? Balances.Values
        : Balances.TryGetValue(currency, out var balance) ? [balance] : [];
}

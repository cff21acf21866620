namespace Web.Customers;

/// <summary>
/// The customer that somebody looked at last; one per circuit. The next tab shows its name at once, and asks again.
/// </summary>
public sealed class RecentCustomer
{
    private Customer? _customer;

    /// <summary>The customer with this slug, as it was when it was last read; null for another one.</summary>
    public Customer? Find(string slug) => _customer?.Slug == slug ? _customer : null;

    public void Remember(Customer customer) => _customer = customer;
}

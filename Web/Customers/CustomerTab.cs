namespace Web.Customers;

/// <summary>The pages about one customer. Each has an address of its own below <c>/customers/{slug}</c>.</summary>
public enum CustomerTab
{
    /// <summary>The customer's own address.</summary>
    Overview,
    Invoices,
    Contacts,
    Keys,
    Operations,
    Settings,
}

using Web.Shell;

namespace Web.Customers.Settings;

/// <summary>A customer's name and slug, as somebody changes them.</summary>
public sealed class Rename : IForm
{
    public string Name { get; set; } = "";

    public string Slug { get; set; } = "";

    public IEnumerable<FieldError> Check() => new NewCustomer { Name = Name, Slug = Slug }.Check();
}

/// <summary>An operator wants to act for a customer.</summary>
public sealed class NewImpersonation : IForm
{
    /// <summary>The longest that the API allows.</summary>
    public const int MostMinutes = 60;

    public string Reason { get; set; } = "";

    public int Minutes { get; set; } = 15;

    public IEnumerable<FieldError> Check()
    {
        if (Reason.Trim().Length < 3)
        {
            yield return new("reason", "Say why: it is kept.");
        }

        if (Minutes is < 1 or > MostMinutes)
        {
            yield return new("minutes", $"1 to {MostMinutes} minutes.");
        }
    }
}

/// <summary>A customer is deleted; who does it has to type its slug again.</summary>
/// <param name="slug">The customer's.</param>
public sealed class Deletion(string slug) : IForm
{
    /// <summary>The longest that the API keeps one.</summary>
    public const int MostDays = 3660;

    /// <summary>What was typed.</summary>
    public string Confirm { get; set; } = "";

    /// <summary>For how many days it can be restored; 0 removes it at once.</summary>
    public int GraceDays { get; set; } = 7;

    public IEnumerable<FieldError> Check()
    {
        if (Confirm != slug)
        {
            yield return new("confirm", $"Type {slug} to confirm.");
        }

        if (GraceDays is < 0 or > MostDays)
        {
            yield return new("graceDays", $"0 to {MostDays} days.");
        }
    }
}

using Web.Customers;
using Web.Shell;

namespace Web.Fleet;

/// <summary>Whom a run concerns, as an operator enters it.</summary>
public class NewRun : IForm
{
    private const int Most = 200;

    private static readonly char[] Between = [' ', ',', ';', '\t', '\r', '\n'];

    /// <summary>Null for all rings.</summary>
    public int? Ring { get; set; }

    /// <summary>See <see cref="FleetDatabase.Choice"/>; null for all databases.</summary>
    public string? Database { get; set; }

    /// <summary>Slugs with spaces or commas in between; empty for all customers.</summary>
    public string Customers { get; set; } = "";

    /// <summary>The customers by slug, each once; null for all.</summary>
    public IReadOnlyList<string>? Slugs =>
        Customers.Split(Between, StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal).ToArray() is
            { Length: > 0 } slugs ? slugs : null;

    public virtual IEnumerable<FieldError> Check()
    {
        if (Slugs?.FirstOrDefault(slug => !NewCustomer.IsSlug(slug)) is { } wrong)
        {
            yield return new("customers", $"“{wrong}” is no slug: slugs have a to z, 0 to 9 and -.");
        }
        else if (Slugs?.Count > Most)
        {
            yield return new("customers", $"Name at most {Most} customers, or none for all.");
        }
    }
}

/// <summary>What is taken back, from whom, and the name that confirms it.</summary>
/// <param name="migration">The oldest one that is taken back.</param>
public sealed class NewTakeBack(string migration) : NewRun
{
    /// <summary>The migration's id once more.</summary>
    public string Confirm { get; set; } = "";

    public override IEnumerable<FieldError> Check() =>
        Confirm.Trim() == migration
            ? base.Check()
            : base.Check().Append(new("confirm", $"Enter {migration} to confirm."));
}

/// <summary>Why runs shall end.</summary>
public sealed class NewHalt : IForm
{
    public string Reason { get; set; } = "";

    /// <summary>See <see cref="FleetDatabase.Choice"/>; null for all databases.</summary>
    public string? Database { get; set; }

    public IEnumerable<FieldError> Check()
    {
        if (Reason.Trim().Length < 3)
        {
            yield return new("reason", "Say why: the run's report repeats it.");
        }
    }
}

using Web.Shell;

namespace Web.Contacts;

/// <summary>What is entered of a contact. Shaped like the request.</summary>
public sealed class ContactForm : IForm
{
    public string Name { get; set; } = "";

    public string? Email { get; set; }

    /// <summary>A form that says what the contact says.</summary>
    public static ContactForm Of(Contact contact) => new() { Name = contact.Name, Email = contact.Email };

    public IEnumerable<FieldError> Check() => Check("", "Enter a name.");

    /// <param name="path">Where it is in a larger form, for example <c>contact.</c>.</param>
    /// <param name="withoutName">The words for a missing name.</param>
    public IEnumerable<FieldError> Check(string path, string withoutName)
    {
        if (string.IsNullOrWhiteSpace(Name))
        {
            yield return new(path + "name", withoutName);
        }

        if (!string.IsNullOrWhiteSpace(Email) && !IsAddress(Email.Trim()))
        {
            yield return new(path + "email", "Enter an address like name@example.com, or nothing.");
        }
    }

    /// <summary>The request's body.</summary>
    public object ToWire() =>
        new { Name = Name.Trim(), Email = string.IsNullOrWhiteSpace(Email) ? null : Email.Trim() };

    /// <summary>As much as can be told without sending mail: one @ with something before and after it.</summary>
    private static bool IsAddress(string email) => email.Split('@') is [{ Length: > 0 }, { Length: > 0 }];
}

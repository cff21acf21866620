using System.Security.Claims;

namespace Api.Access;

/// <summary>Who asks: what a credential says, whichever it is, and who may what.</summary>
internal static class Caller
{
    /// <summary>The claim with the slug of the caller's customer. An operator has none.</summary>
    public const string Customer = "customer";

    /// <summary>The claim with that customer's id, where the credential knows it.</summary>
    public const string CustomerId = "customer_id";

    /// <summary>The claim that operators have, with this value.</summary>
    public const string Role = "role";

    /// <summary>See <see cref="Role"/>.</summary>
    public const string Operator = "operator";

    /// <summary>The policy of what operators alone may do.</summary>
    public const string Operators = "operators";

    /// <summary>The policy of what a customer's users may do for their customer, and operators for any.</summary>
    public const string Users = "users";

    /// <param name="scheme">By which the caller said who it is.</param>
    /// <param name="name">Its name in logs.</param>
    /// <param name="slug">Its customer's; null for an operator.</param>
    /// <param name="customer">Its customer's id; null where it isn't known.</param>
    public static ClaimsPrincipal Of(string scheme, string name, string? slug, Guid? customer)
    {
        var identity = new ClaimsIdentity(scheme, ClaimTypes.Name, Role);
        identity.AddClaim(new(ClaimTypes.Name, name));
        if (slug is null)
        {
            identity.AddClaim(new(Role, Operator));
            return new(identity);
        }

        identity.AddClaim(new(Customer, slug));
        if (customer is { } id)
        {
            identity.AddClaim(new(CustomerId, id.ToString()));
        }

        return new(identity);
    }
}

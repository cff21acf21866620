using Tenancy.AspNetCore.Resolution;

namespace Tenancy.AspNetCore;

/// <summary>
/// Says where a request names its tenant, from <see cref="TenancyBuilderExtensions.Resolve"/>. Several may be named:
/// what a request says in two places has to be the same.
/// </summary>
public sealed class TenantResolution
{
    private readonly List<ITenantSource> _sources = [];

    internal TenantResolution()
    {
    }

    internal IReadOnlyList<ITenantSource> Sources => _sources;

    internal string? UserClaim { get; private set; }

    internal string? UserIdClaim { get; private set; }

    internal bool SignsInFirst { get; private set; }

    internal string Noun { get; private set; } = "tenant";

    /// <summary>
    /// A claim of the signed-in user has the slug. It wins where nothing else names a tenant, and where something does
    /// it has to be the same: else the answer is 403.
    /// </summary>
    /// <param name="type">The claim's type, e.g. <c>shop</c>.</param>
    /// <param name="id">
    /// The type of a claim that has the tenant's id, a uuid; null where users have none. A slug may be another tenant's
    /// tomorrow, an id never is: a user whose id isn't the tenant's gets 403, whatever the slug says.
    /// </param>
    public TenantResolution Claim(string type, string? id = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(type);
        (UserClaim, UserIdClaim) = (type, id);
        return this;
    }

    /// <summary>
    /// Asks for the tenant when the user is known and may use the endpoint, and not before: nobody learns from an
    /// answer which slugs exist. An anonymous request gets 401. A user whose claim names one tenant gets the same 403
    /// for every other slug, without a look-up; only who has no such claim, an operator, gets 404. So let a policy on
    /// the endpoints say who may be without that claim, or call <see cref="TenancyBuilderExtensions.BindUsers"/>, which
    /// refuses all who are: else any signed-in user without it may name any tenant. Endpoints that don't say
    /// <c>RequireTenant</c> serve nobody. For sign-ins that don't ask a tenant's own tables: tokens and keys, not
    /// ASP.NET Core Identity in tenants' schemas.
    /// </summary>
    public TenantResolution SignInFirst()
    {
        SignsInFirst = true;
        return this;
    }

    /// <summary>The host's name has the slug in it.</summary>
    /// <param name="pattern">E.g. <c>{slug}.shops.example</c>; without a port.</param>
    /// <exception cref="ArgumentException">There is no <c>{slug}</c> in it, or more than one.</exception>
    public TenantResolution Host(string pattern) => Add(new HostSource(pattern));

    /// <summary>A header has the slug.</summary>
    /// <param name="name">E.g. <c>X-Shop</c>.</param>
    public TenantResolution Header(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return Add(new HeaderSource(name));
    }

    /// <summary>A part of the address has the slug.</summary>
    /// <param name="parameter">The route parameter, e.g. <c>shop</c> in <c>/{shop}/orders</c>.</param>
    public TenantResolution Route(string parameter)
    {
        ArgumentException.ThrowIfNullOrEmpty(parameter);
        return Add(new RouteSource(parameter));
    }

    /// <summary>The word for a tenant in answers. Default: <c>tenant</c>.</summary>
    /// <param name="noun">E.g. <c>customer</c> or <c>shop</c>: letters, in the singular.</param>
    public TenantResolution Called(string noun)
    {
        ArgumentException.ThrowIfNullOrEmpty(noun);
        Noun = noun.All(char.IsAsciiLetterLower)
            ? noun
            : throw new ArgumentException($"'{noun}' isn't one word of small letters.", nameof(noun));
        return this;
    }

    private TenantResolution Add(ITenantSource source)
    {
        _sources.Add(source);
        return this;
    }
}

using System.Diagnostics;
using System.Reflection;
using Microsoft.AspNetCore.Components;
using Web.Customers;
using Web.SignIn;
using RouteData = Microsoft.AspNetCore.Components.RouteData;

namespace Web.Api;

/// <summary>
/// The page that somebody looks at, for telemetry; one per circuit. What a page asks the API for when it opens belongs
/// to the page's trace. What is written, or asked for again, was somebody's click and is a trace of its own.
/// </summary>
/// <param name="key">The visitor's; null in tests of pages.</param>
public sealed class Visit(OperatorKey? key = null)
{
    private const string Tenant = "tenant.slug";

    private static readonly ActivitySource Source = new(nameof(Web));

    private readonly HashSet<string> _asked = [];
    private ActivityContext _page;
    private string? _address;
    private string? _slug;

    /// <summary>
    /// Notes the page that is shown now. The first one's trace began with the document's request, which is over; the
    /// others are opened inside the circuit.
    /// </summary>
    /// <param name="address">The page's, with its query.</param>
    /// <param name="route">Which page it is.</param>
    /// <param name="document">The trace of the document's request.</param>
    public void Open(string address, RouteData route, string? document)
    {
        if (address == _address)
        {
            return;
        }

        var first = _address is null;
        _address = address;
        _slug = SlugOf(route.RouteValues);
        _asked.Clear();
        if (!first || !ActivityContext.TryParse(document, null, isRemote: true, out _page))
        {
            Activity.Current = null;
            using var opened = Source.StartActivity(
                $"open {route.PageType.GetCustomAttributes<RouteAttribute>().First().Template}")?.SetTag(Tenant, _slug);
            _page = opened?.Context ?? default;
        }
    }

    /// <summary>What the API takes from who is signed in; null for nobody.</summary>
    internal ValueTask<string?> CredentialAsync() => key?.FindAsync() ?? default;

    /// <summary>Begins a call of the API.</summary>
    /// <param name="what">In words that are the same for all customers: <c>create invoice</c>.</param>
    /// <param name="writes">Whether it changes something.</param>
    internal Activity? Begin(string what, bool writes)
    {
        // A circuit inherits the request of its connection, which is open as long as the page and isn't traced.
        Activity.Current = null;
        return Source.StartActivity(
            what, ActivityKind.Internal, !writes && _asked.Add(what) ? _page : default)?.SetTag(Tenant, _slug);
    }

    /// <summary>The customer that a page is about; null for none.</summary>
    internal static string? SlugOf(IReadOnlyDictionary<string, object?> route) =>
        route.TryGetValue("Slug", out var value) && value is string slug && NewCustomer.IsSlug(slug) ? slug : null;

    /// <summary>Writes the customer on the document's request.</summary>
    internal static void Tag(HttpContext document) =>
        Activity.Current?.SetTag(Tenant, SlugOf(document.Request.RouteValues));
}

using Microsoft.AspNetCore.Components.Routing;

namespace Web.Shell;

/// <summary>The pages that are reached from everywhere: by the bar, by Ctrl+K, and from the plain pages.</summary>
/// <param name="Label">What its link says.</param>
/// <param name="Href">Where it is.</param>
/// <param name="Match">Whether the pages below it belong to it.</param>
internal sealed record MainPage(string Label, string Href, NavLinkMatch Match = NavLinkMatch.Prefix)
{
    public static IReadOnlyList<MainPage> All { get; } =
    [
        new("Overview", "/", NavLinkMatch.All), new("Customers", "/customers"), new("Migrations", "/migrations"),
        new("Tasks", "/tasks"), new("Operations", "/operations"), new("Doctor", "/doctor"),
        new("Receivables", "/reports/receivables"),
    ];
}

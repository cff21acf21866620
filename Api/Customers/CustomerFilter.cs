using System.ComponentModel.DataAnnotations;
using Data.Customers;
using Microsoft.AspNetCore.Mvc;
using Tenancy;

namespace Api.Customers;

/// <summary>Which customers a list has, in which order.</summary>
public sealed class CustomerFilter
{
    private const string Sorts = "^-?(slug|name|created|migrated|size|ring)$";

    /// <summary>Part of the slug or of the name.</summary>
    [FromQuery(Name = "search"), StringLength(Customer.LongestName)]
    public string? Search { get; init; }

    /// <summary>Only those of that status: <c>active</c>, <c>suspended</c> or <c>archived</c>.</summary>
    [FromQuery(Name = "status"),
        RegularExpression("^(active|suspended|archived)$", ErrorMessage = "Use active, suspended or archived.")]
    public string? Status { get; init; }

    /// <summary>
    /// Only those in that condition: <c>failed</c> (the last migration), <c>behind</c> (a migration is missing),
    /// <c>waiting</c> (behind, and the last migration didn't fail) or <c>dropping</c> (deleted, not removed yet).
    /// </summary>
    [FromQuery(Name = "condition"),
        RegularExpression("^(failed|behind|waiting|dropping)$", ErrorMessage = "Use failed, behind, waiting or dropping.")]
    public string? Condition { get; init; }

    /// <summary>Only those of that ring; 0 is upgraded first.</summary>
    [FromQuery(Name = "ring"), Range(0, 1_000_000)]
    public int? Ring { get; init; }

    /// <summary>Only those of that version: its short name, or the id of its last migration.</summary>
    [FromQuery(Name = "version"), StringLength(150)]
    public string? Version { get; init; }

    /// <summary>
    /// The order: <c>slug</c> (the default), <c>name</c>, <c>created</c>, <c>migrated</c>, <c>size</c> or <c>ring</c>;
    /// with <c>-</c> in front from the other end.
    /// </summary>
    [FromQuery(Name = "sort"), RegularExpression(
        Sorts, ErrorMessage = "Use slug, name, created, migrated, size or ring, with - in front for the other end.")]
    public string? Sort { get; init; }

    /// <summary>The <c>next</c> of the page before, in the same order.</summary>
    [FromQuery(Name = "after"), StringLength(4000, MinimumLength = 1)]
    public string? After { get; init; }

    /// <summary>1 is the first, and the default.</summary>
    [FromQuery(Name = "page"), Range(1, 1_000_000)]
    public int? Page { get; init; }

    /// <summary>How many items a page has, 1 to 200. Default 25.</summary>
    [FromQuery(Name = "pageSize"), Range(1, 200)]
    public int? PageSize { get; init; }

    internal int Size => PageSize ?? 25;

    internal TenantQuery Query => new()
    {
        Search = Search,
        Status = Named<TenantStatus>(Status),
        Condition = Named<TenantCondition>(Condition),
        Ring = Ring,
        Version = Version,
        Sort = Named<TenantSort>(Sort?.TrimStart('-')) ?? TenantSort.Slug,
        Descending = Sort?.StartsWith('-') is true,
        After = After,
        Skip = ((Page ?? 1) - 1) * Size,
        Limit = Size,
    };

    /// <summary>A parameter without a value is none: no rule is asked about empty text.</summary>
    private static T? Named<T>(string? name) where T : struct, Enum =>
        string.IsNullOrEmpty(name) ? null : Enum.Parse<T>(name, ignoreCase: true);
}

using System.Collections.Frozen;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.Mvc.ModelBinding;

namespace Api.Contract;

/// <summary>
/// Refuses query parameters that an operation doesn't have. A misspelt filter that is ignored shows everything.
/// </summary>
internal static partial class KnownParameters
{
    private static readonly string[] s_words = ["There is no parameter of that name."];

    public static void UseKnownParameters(this WebApplication app)
    {
        var known = new Lazy<FrozenDictionary<string, FrozenSet<string>>>(() => Find(app.Services));
        app.Use((context, next) => Unknown(context, known) is { Count: > 0 } unknown
            ? TypedResults.ValidationProblem(
                unknown.ToDictionary(name => name, _ => s_words),
                title: "Unknown parameters.").ExecuteAsync(context)
            : next(context));
    }

    private static List<string>? Unknown(HttpContext context, Lazy<FrozenDictionary<string, FrozenSet<string>>> known)
    {
        if (context.Request.Query.Count == 0 || context.GetEndpoint() is not RouteEndpoint endpoint)
        {
            return null;
        }

        var method = HttpMethods.IsHead(context.Request.Method) ? HttpMethods.Get : context.Request.Method;
        return known.Value.TryGetValue(Key(method, endpoint.RoutePattern.RawText), out var allowed)
            ? [.. context.Request.Query.Keys.Where(name => !allowed.Contains(name))]
            : null;
    }

    private static FrozenDictionary<string, FrozenSet<string>> Find(IServiceProvider services) => services
        .GetRequiredService<IApiDescriptionGroupCollectionProvider>().ApiDescriptionGroups.Items
        .SelectMany(group => group.Items).Where(operation => operation.HttpMethod is not null)
        .ToFrozenDictionary(
            operation => Key(operation.HttpMethod!, operation.RelativePath),
            operation => operation.ParameterDescriptions.Where(parameter => parameter.Source == BindingSource.Query)
                .Select(parameter => parameter.Name).ToFrozenSet(StringComparer.OrdinalIgnoreCase));

    /// <summary>A route without its constraints: the one place writes them, the other doesn't.</summary>
    private static string Key(string method, string? route) =>
        $"{method} {Constraint().Replace((route ?? "").Trim('/'), "{$1}")}";

    [GeneratedRegex(@"\{(\w+):[^}]*\}")]
    private static partial Regex Constraint();
}

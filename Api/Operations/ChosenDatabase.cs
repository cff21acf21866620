using Microsoft.AspNetCore.Http.HttpResults;
using Tenancy;

namespace Api.Operations;

/// <summary>The database that a request names, where it names one.</summary>
internal static class ChosenDatabase
{
    public const string Pattern = "^[a-z][a-z0-9_]{0,62}$";

    public const string Rule = "Name a database.";

    /// <summary>The answer to a request for a database that isn't there; null where it is, or none is named.</summary>
    /// <param name="tenancy">Knows the databases.</param>
    /// <param name="database">The request's; <see cref="TenancyOptions.FirstDatabase"/> is the first one.</param>
    /// <param name="without">What happens without a name, for the answer.</param>
    public static ValidationProblem? RefuseUnknown(
        this TenancyOptions tenancy, string? database, string without = "Leave it out for all")
    {
        if (database is null or TenancyOptions.FirstDatabase || tenancy.Databases.ContainsKey(database))
        {
            return null;
        }

        var names = tenancy.Databases.Keys.Order(StringComparer.Ordinal).Prepend(TenancyOptions.FirstDatabase);
        return TypedResults.ValidationProblem(new Dictionary<string, string[]>
        {
            ["database"] = [$"There is no database '{database}'. {without}, or use {string.Join(", ", names)}."],
        });
    }
}

namespace Tenancy.Guard;

/// <summary>Which function a tenant's command may call, by the schema that stands before it.</summary>
/// <param name="sharedFunctions">
/// The application's own functions that may be called without a schema: names, or <c>schema.name</c>.
/// </param>
internal sealed class FunctionRules(IEnumerable<string> sharedFunctions)
{
    private readonly HashSet<string> _shared =
        [.. sharedFunctions.Select(name => name[(name.LastIndexOf('.') + 1)..])];

    /// <summary>
    /// The known objection to a name, as a function or a type. Null where there is none, even if the name is
    /// unknown.
    /// </summary>
    public static string? KnownHarm(string name) =>
        PostgresCatalog.KnownHarm(name) is { } known ? $"{name} {known}"
            : ContribFunctions.WhyNot(name) ?? PostgresCatalog.WhyNotUse(name);

    /// <summary>
    /// Why the function may not be called: a sentence without full stop; null if it may.
    /// </summary>
    /// <param name="schema">
    /// Null where none is written, <c>pg_catalog</c>, or a shared schema. The tenant's own schema and foreign schemas
    /// are the caller's business: everything in the first may be called, nothing in the others.
    /// </param>
    /// <param name="function">Its name as PostgreSQL folds it.</param>
    public string? WhyNotCall(string? schema, string function)
    {
        if (schema == "pg_catalog")
        {
            return PostgresCatalog.WhyNotCall(function);
        }

        if (ContribFunctions.WhyNot(function) is { } harm)
        {
            return harm;
        }

        if (schema is not null || PostgresCatalog.MayCall(function))
        {
            return null;
        }

        // PostgreSQL looks into pg_catalog first, whatever the application has declared.
        if (PostgresCatalog.KnownHarm(function) is { } known)
        {
            return $"{function} {known}";
        }

        return _shared.Contains(function) || ContribFunctions.IsHarmless(function)
            ? null
            : $"{function} is called without a schema, and is neither PostgreSQL's nor a known extension's. Write " +
                $"\"{TenantPlaceholder.Schema}\".{function} for the tenant's, public.{function} for a shared " +
                "one (TenancyOptions.SharedSchemas)";
    }
}

using Tenancy.Guard;

namespace Tenancy.Sql;

/// <summary>
/// The names that a tenant's commands may use besides its own schema and the harmless part of <c>pg_catalog</c>.
/// Instances are compared by reference.
/// </summary>
/// <param name="tables">Tables that may be read: <c>schema.table</c>, or <c>schema.*</c>.</param>
/// <param name="schemas">Schemas whose functions, types and operators may be used.</param>
/// <param name="functions">The application's functions that may be called without a schema.</param>
internal sealed class AllowList(
    IEnumerable<string> tables, IEnumerable<string> schemas, IEnumerable<string> functions)
{
    private readonly HashSet<string> _tables = [.. tables];
    private readonly HashSet<string> _schemas = [.. schemas];

    /// <summary>The tenant's own schema and nothing else.</summary>
    public static AllowList Nothing { get; } = new([], [], []);

    /// <summary>
    /// Whether statements may be about the tenant's schema itself: DROP SCHEMA, GRANT ON SCHEMA. The login that serves
    /// has no rights for them. A task or a seed runs as the owner, who has.
    /// </summary>
    public bool MayNameOwnSchema { get; init; } = true;

    public bool MayRead(string schema, string table) =>
        _tables.Contains($"{schema}.{table}") || _tables.Contains($"{schema}.*");

    public bool MayUse(string schema) => _schemas.Contains(schema);

    /// <summary>Which functions may be called.</summary>
    public FunctionRules Functions { get; } = new(functions);
}

namespace Tenancy.Sql;

/// <summary>The names that the SQL in a routine's body sees from outside it.</summary>
/// <param name="Variables">Arguments, variables, labels: x.y is a field of x.</param>
/// <param name="OwnPath">
/// Whether the routine has SET search_path = the placeholder: then a table without a schema is the tenant's.
/// </param>
/// <param name="Level">How many bodies it stands in.</param>
internal sealed record BodyScope(IReadOnlySet<string> Variables, bool OwnPath, int Level)
{
    /// <summary>Takes each statement of the body, where somebody asks for them.</summary>
    public List<SqlStatement>? Found { get; init; }

    /// <summary>A text in a text in a text: nobody writes more.</summary>
    public const int MostLevels = 8;

    /// <summary>
    /// Whether it is the tenant's without being written so. pg_catalog comes first, wherever it stands.
    /// </summary>
    public bool IsOwn(NameUse name) =>
        name.Schema == TenantPlaceholder.Schema
            || OwnPath && name.Schema is null && name.Role is NameRole.Read or NameRole.Write or NameRole.Reference
                && !name.Name.StartsWith("pg_", StringComparison.Ordinal);
}

using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Tenancy.Stamping;

/// <summary>
/// What a tenant's commands may name besides its own schema and <c>pg_catalog</c>. Instances are compared by reference.
/// </summary>
/// <param name="tables">Tables that may be read: <c>schema.table</c>, or <c>schema.*</c>.</param>
/// <param name="schemas">Schemas whose functions, types and operators may be used.</param>
internal sealed class AllowList(IEnumerable<string> tables, IEnumerable<string> schemas)
{
    private readonly HashSet<string> _tables = [.. tables];
    private readonly HashSet<string> _schemas = [.. schemas];

    /// <summary>The tenant's own schema and nothing else.</summary>
    public static AllowList Nothing { get; } = new([], []);

    public bool MayRead(string schema, string table) =>
        _tables.Contains($"{schema}.{table}") || _tables.Contains($"{schema}.*");

    public bool MayUse(string schema) => _schemas.Contains(schema);
}

/// <summary>
/// The application's declarations, with what the model of a context maps outside the placeholder's schema.
/// </summary>
internal sealed class SharedObjects(IReadOnlyList<string> tables, IReadOnlyList<string> schemas)
{
    private readonly ConcurrentDictionary<IModel, AllowList> _lists = new();

    public AllowList Of(IModel model) =>
        _lists.GetOrAdd(
            model, static (model, shared) => new(shared.Tables.Concat(Mapped(model)), shared.Schemas), this);

    private IReadOnlyList<string> Tables => tables;

    private IReadOnlyList<string> Schemas => schemas;

    private static IEnumerable<string> Mapped(IModel model) =>
        from entity in model.GetEntityTypes()
        from name in new[] { (Schema: entity.GetSchema(), Name: entity.GetTableName()),
            (Schema: entity.GetViewSchema(), Name: entity.GetViewName()) }
        where name.Name is not null && name.Schema is not null && name.Schema != TenantPlaceholder.Schema
        select $"{name.Schema}.{name.Name}";
}

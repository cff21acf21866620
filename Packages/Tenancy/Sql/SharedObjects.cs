using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Tenancy.Sql;

/// <summary>
/// The application's declarations, with what the model of a context maps outside the placeholder's schema.
/// </summary>
internal sealed class SharedObjects(
    IReadOnlyList<string> tables, IReadOnlyList<string> schemas, IReadOnlyList<string> functions)
{
    private readonly ConcurrentDictionary<(IModel Model, bool AsOwner), AllowList> _lists = new();

    /// <param name="model">A context's.</param>
    /// <param name="asOwner">Whether the context works in a transaction of the owner's, see
    /// <see cref="AllowList.MayNameOwnSchema"/>.</param>
    public AllowList Of(IModel model, bool asOwner = false) =>
        _lists.GetOrAdd(
            (model, asOwner),
            static (key, shared) => new(
                shared.Tables.Concat(Mapped(key.Model)), shared.Schemas, shared.Functions)
            {
                MayNameOwnSchema = !key.AsOwner,
            },
            this);

    /// <summary>For tasks, which belong to no context: what any of these models maps. A new list each time.</summary>
    public AllowList ForTasks(IEnumerable<IModel> models) =>
        new(Tables.Concat(models.SelectMany(Mapped)), Schemas, Functions) { MayNameOwnSchema = false };

    /// <summary>A new one with the same declarations.</summary>
    public SharedObjects Copy() => new(Tables, Schemas, Functions);

    public bool IsLike(SharedObjects other) =>
        Tables.SequenceEqual(other.Tables) && Schemas.SequenceEqual(other.Schemas)
            && Functions.SequenceEqual(other.Functions);

    public int Hash => HashCode.Combine(Tables.Count, Schemas.Count, Functions.Count);

    private IReadOnlyList<string> Tables => tables;

    /// <summary>See <see cref="TenancyOptions.SharedSchemas"/>.</summary>
    public IReadOnlyList<string> Schemas => schemas;

    private IReadOnlyList<string> Functions => functions;

    private static IEnumerable<string> Mapped(IModel model) =>
        from entity in model.GetEntityTypes()
        from name in new[] { (Schema: entity.GetSchema(), Name: entity.GetTableName()),
            (Schema: entity.GetViewSchema(), Name: entity.GetViewName()) }
        where name.Name is not null && name.Schema is not null && name.Schema != TenantPlaceholder.Schema
        select $"{name.Schema}.{name.Name}";
}

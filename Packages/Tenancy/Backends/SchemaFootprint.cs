using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Tenancy.Backends;

/// <summary>
/// The memory that a backend keeps of one schema, in bytes, after commands of a kind: an upper estimate. PostgreSQL
/// keeps what it has read of the catalog for each table and index, and the plan of each foreign key's check, as long as
/// the backend lives.
/// </summary>
/// <remarks>
/// Measured with PostgreSQL 15: 5 to 6 KB for a table or an index, 16 KB for a foreign key (docs/memory.md). Indexes
/// that a model doesn't know of, and the tables behind long values, make it more.
/// </remarks>
internal sealed class SchemaFootprint(int relations, int foreignKeys = 0)
{
    private const int PerRelation = 8 * 1024;
    private const int PerForeignKey = 20 * 1024;

    private static readonly ConditionalWeakTable<IReadOnlyModel, SchemaFootprint> s_models = [];

    /// <summary>A history table and its index.</summary>
    public static readonly SchemaFootprint History = new(2);

    public long Bytes { get; } = Math.Max(1, relations) * PerRelation + foreignKeys * PerForeignKey;

    /// <summary>Of commands that touch all tenant tables of a model.</summary>
    public static SchemaFootprint Of(IReadOnlyModel model) => s_models.GetValue(model, Count);

    private static SchemaFootprint Count(IReadOnlyModel model)
    {
        IReadOnlyEntityType[] mapped = [.. model.GetEntityTypes()
            .Where(entity => entity.GetTableName() is not null && entity.GetSchema() == TenantPlaceholder.Schema)];
        var tables = mapped.Select(entity => entity.GetTableName()).Distinct().Count();
        var indexes = mapped.Sum(entity =>
            entity.GetDeclaredKeys().Count() + entity.GetDeclaredIndexes().Count());
        return new(tables + indexes, mapped.Sum(entity => entity.GetDeclaredForeignKeys().Count()));
    }
}

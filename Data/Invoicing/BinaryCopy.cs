using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using Tenancy;

namespace Data.Invoicing;

/// <summary>
/// Writes many rows by PostgreSQL's binary COPY. It goes past EF's commands, hence past the rewriter: the table's name
/// is made from the tenant's value, the columns and their types come from the model.
/// </summary>
public static class BinaryCopy
{
    /// <summary>
    /// Writes the rows, in their order, over the context's connection and inside its transaction. What the database
    /// generates (an identity, a row version) is left to it; keys and foreign keys have to be set. Nothing is tracked.
    /// </summary>
    /// <param name="db">A tenant's context, its connection open: the rows go to that tenant's schema.</param>
    /// <param name="rows">Entities of the context's model.</param>
    /// <param name="ct">Ends the copy; the transaction can then only be rolled back.</param>
    /// <exception cref="PostgresException">A row breaks a constraint; the transaction can then only be rolled
    /// back.</exception>
    public static async Task CopyAsync<TEntity>(this DbContext db, IEnumerable<TEntity> rows, CancellationToken ct)
        where TEntity : class
    {
        var entity = db.Model.FindEntityType(typeof(TEntity))
            ?? throw new ArgumentException($"The context's model has no {typeof(TEntity).Name}.");
        var table = StoreObjectIdentifier.Create(entity, StoreObjectType.Table)!.Value;
        var columns = entity.GetProperties().Where(property => !IsGenerated(property))
            .Select(property => new Column(property, table)).ToList();

        await db.SwitchToTenantRoleAsync(ct);
        var connection = (NpgsqlConnection)db.Database.GetDbConnection();
        await using var copy = await connection.BeginBinaryImportAsync(
            $"COPY {db.Tenant().Schema.Qualify(table.Name)} " +
            $"({string.Join(", ", columns.Select(column => column.Name))}) FROM STDIN (FORMAT BINARY)", ct);
        foreach (var row in rows)
        {
            await copy.StartRowAsync(ct);
            foreach (var column in columns)
            {
                await column.WriteAsync(copy, row, ct);
            }
        }

        // Without this, and only without it, the copy is undone.
        await copy.CompleteAsync(ct);
    }

    // A uuid key is generated as well, but here: whoever copies has set it.
    private static bool IsGenerated(IProperty property) =>
        property.IsConcurrencyToken
            || property.GetValueGenerationStrategy()
                != Npgsql.EntityFrameworkCore.PostgreSQL.Metadata.NpgsqlValueGenerationStrategy.None;

    private sealed class Column(IProperty property, StoreObjectIdentifier table)
    {
        private readonly RelationalTypeMapping _type = property.GetRelationalTypeMapping();
        private readonly IClrPropertyGetter _value = property.GetGetter();

        public string Name { get; } = $"\"{property.GetColumnName(table)}\"";

        public Task WriteAsync(NpgsqlBinaryImporter copy, object row, CancellationToken ct)
        {
            var value = _value.GetClrValue(row);
            value = _type.Converter is { } converter ? converter.ConvertToProvider(value) : value;
            // Said explicitly: COPY converts nothing, a column takes exactly its own type.
            return value is null ? copy.WriteNullAsync(ct) : copy.WriteAsync(value, _type.StoreTypeNameBase, ct);
        }
    }
}

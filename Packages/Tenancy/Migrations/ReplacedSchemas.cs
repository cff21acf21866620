// The provider's names of annotations are public by need and internal by name.
#pragma warning disable EF1001

using System.Reflection;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata.Internal;
using Tenancy.Sql;

namespace Tenancy.Migrations;

/// <summary>
/// Puts the tenant's schema in place of those that an application's model and migrations named before they became a
/// tenant's: see <see cref="TenantContextBuilder{TContext}.ReplaceSchema"/>. What names no schema is the tenant's, too.
/// </summary>
/// <param name="replaced">The names.</param>
internal sealed class ReplacedSchemas(IReadOnlyCollection<string> replaced)
{
    public bool IsMoved(string? schema) => schema is null || replaced.Contains(schema);

    /// <summary>The model of the context, or what a migration or a snapshot keeps of it.</summary>
    public void Move(IMutableModel model)
    {
        if (IsMoved(model.GetDefaultSchema()))
        {
            model.SetDefaultSchema(TenantPlaceholder.Schema);
        }

        if (replaced.Count == 0)
        {
            return;
        }

        MoveSequences(model);
        // A table that isn't the model's own to make is shared, whatever its schema.
        foreach (var entity in model.GetEntityTypes().Where(entity => !entity.IsTableExcludedFromMigrations()))
        {
            if (entity.FindAnnotation(RelationalAnnotationNames.Schema)?.Value is string schema && IsMoved(schema))
            {
                entity.SetSchema(TenantPlaceholder.Schema);
            }

            if (entity.FindAnnotation(RelationalAnnotationNames.ViewSchema)?.Value is string view && IsMoved(view))
            {
                entity.SetViewSchema(TenantPlaceholder.Schema);
            }
        }
    }

    /// <summary>A sequence can't change its schema: it is made again. Columns name theirs in annotations.</summary>
    private void MoveSequences(IMutableModel model)
    {
        foreach (var sequence in model.GetSequences().Where(sequence =>
            sequence.Schema is { } schema && IsMoved(schema)).ToList())
        {
            model.RemoveSequence(sequence.Name, sequence.Schema);
            var moved = model.AddSequence(sequence.Name, TenantPlaceholder.Schema);
            (moved.StartValue, moved.IncrementBy, moved.MinValue, moved.MaxValue) =
                (sequence.StartValue, sequence.IncrementBy, sequence.MinValue, sequence.MaxValue);
            (moved.IsCyclic, moved.Type) = (sequence.IsCyclic, sequence.Type);
        }

        foreach (var named in model.GetEntityTypes().SelectMany(entity => entity.GetProperties())
            .Cast<IMutableAnnotatable>().Prepend(model))
        {
            foreach (var annotation in named.GetAnnotations().Where(annotation => annotation.Name
                is NpgsqlAnnotationNames.HiLoSequenceSchema or NpgsqlAnnotationNames.SequenceSchema
                && annotation.Value is string schema && IsMoved(schema)).ToList())
            {
                named.SetAnnotation(annotation.Name, TenantPlaceholder.Schema);
            }

            if (named.FindAnnotation(RelationalAnnotationNames.DefaultValueSql)?.Value is string sql)
            {
                named.SetAnnotation(RelationalAnnotationNames.DefaultValueSql, Move(sql));
            }
        }
    }

    /// <summary>
    /// A migration from before its tables were a tenant's. It is changed in place: EF reads its id from its class.
    /// </summary>
    public void Move(Migration migration)
    {
        Move(migration.UpOperations);
        try
        {
            Move(migration.DownOperations);
        }
        catch (Exception)
        {
            // Many a migration can't be taken back, and says so, in whatever way, again to whoever asks for it.
        }

        Move((IMutableModel)migration.TargetModel);
    }

    private void Move(IEnumerable<MigrationOperation> operations)
    {
        foreach (var operation in operations)
        {
            Move(operation);
        }
    }

    private void Move(MigrationOperation operation)
    {
        switch (operation)
        {
            case EnsureSchemaOperation ensure when IsMoved(ensure.Name):
                ensure.Name = TenantPlaceholder.Schema;
                return;
            case SqlOperation sql:
                sql.Sql = Move(sql.Sql);
                return;
        }

        foreach (var property in operation.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (property.PropertyType == typeof(string) && property.Name.EndsWith("Sql", StringComparison.Ordinal))
            {
                if (property.CanWrite && property.GetValue(operation) is string sql)
                {
                    property.SetValue(operation, Move(sql));
                }
            }
            else if (property.PropertyType == typeof(string)
                && property.Name.EndsWith("Schema", StringComparison.Ordinal))
            {
                if (property.CanWrite && IsMoved((string?)property.GetValue(operation)))
                {
                    property.SetValue(operation, TenantPlaceholder.Schema);
                }
            }
            else if (property.GetIndexParameters().Length > 0)
            {
                // An annotation by its name.
            }
            else if (typeof(MigrationOperation).IsAssignableFrom(property.PropertyType))
            {
                if (property.GetValue(operation) is MigrationOperation part)
                {
                    Move(part);
                }
            }
            else if (typeof(IEnumerable<MigrationOperation>).IsAssignableFrom(property.PropertyType)
                && property.GetValue(operation) is IEnumerable<MigrationOperation> parts)
            {
                Move(parts);
            }
        }
    }

    /// <summary>
    /// Hand-written SQL, in which a name before a point, or after SCHEMA, is the schema's; also inside the bodies of
    /// routines. A table without a schema stays, and the guard refuses it: nobody can say which one it means.
    /// </summary>
    private string Move(string sql)
    {
        if (replaced.Count == 0)
        {
            return sql;
        }

        var moved = new StringBuilder(sql.Length);
        var bodies = BodyText.Starts(sql);
        var tokens = new SqlTokens(sql);
        var afterSchema = false;
        // The two words before a literal.
        var (function, before) = ("", "");
        while (tokens.Next(out var kind, out var start, out var end))
        {
            var token = sql[start..end];
            if (kind == SqlToken.Literal && bodies.Contains(start) && BodyText.Of(token) is not null)
            {
                var quote = token[0] == '$' ? token.IndexOf('$', 1) + 1 : 1;
                moved.Append(token, 0, quote).Append(Move(token[quote..^quote]))
                    .Append(token, token.Length - quote, quote);
                continue;
            }

            if (kind == SqlToken.Literal && before == "(" && TenantSequence.IsTakenBy(function)
                && MovedSequence(token) is { } sequence)
            {
                moved.Append(sequence);
                continue;
            }

            var name = kind switch
            {
                SqlToken.Other => token.ToLowerInvariant(),
                SqlToken.QuotedIdentifier => token[1..^1],
                _ => "",
            };
            moved.Append(replaced.Contains(name) && (afterSchema || end < sql.Length && sql[end] == '.')
                ? $"\"{TenantPlaceholder.Schema}\""
                : token);
            if (!string.IsNullOrWhiteSpace(name))
            {
                (function, before) = (before, name);
            }

            afterSchema = name == "schema" || afterSchema && string.IsNullOrWhiteSpace(name);
        }

        return moved.ToString();
    }

    /// <summary>'ordering.numbers', or the same with quotes, as nextval takes it.</summary>
    private string? MovedSequence(string literal)
    {
        var point = literal.IndexOf('.', StringComparison.Ordinal);
        return point > 1 && replaced.Contains(literal[1..point].Trim('"'))
            ? $"'\"{TenantPlaceholder.Schema}\"{literal[point..]}"
            : null;
    }
}

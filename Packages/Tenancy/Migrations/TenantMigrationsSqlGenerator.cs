// NpgsqlMigrationsSqlGenerator asks for its provider's options, which are public by need and internal by name.
#pragma warning disable EF1001

using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure.Internal;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata.Internal;
using Npgsql.EntityFrameworkCore.PostgreSQL.Migrations;
using Tenancy.Sql;

namespace Tenancy.Migrations;

/// <summary>
/// The provider's generator, except where it writes the schema's name into a literal. The rewriter leaves literals
/// alone, so such SQL would reach the placeholder itself. Here it names the schema as an identifier.
/// </summary>
internal sealed class TenantMigrationsSqlGenerator(
    MigrationsSqlGeneratorDependencies dependencies, INpgsqlSingletonOptions options,
    RelationalCommandBuilderDependencies commands)
    : NpgsqlMigrationsSqlGenerator(dependencies, options)
{
    /// <summary>What the provider's statements that move a sequence past inserted rows begin with.</summary>
    private const string ProvidersMove = "SELECT setval(";

    private readonly HashSet<string> _own = new(StringComparer.Ordinal);

    public override IReadOnlyList<MigrationCommand> Generate(
        IReadOnlyList<MigrationOperation> operations, IModel? model = null,
        MigrationsSqlGenerationOptions options = MigrationsSqlGenerationOptions.Default)
    {
        if (options.HasFlag(MigrationsSqlGenerationOptions.Script))
        {
            // Run by hand, it would make a schema by the placeholder's name, over which nothing starts any more.
            throw new NotSupportedException(
                "EF's script of a tenant's model has no tenant's schema in it. The migration job's command 'script' " +
                "writes the SQL of one customer: dotnet run --project MigrationService -- script acme. In code it is " +
                "FleetReader.ScriptAsync.");
        }

        _own.Clear();
        var all = base.Generate(operations, model, options).ToList();
        var moves = GeneratedKeys(operations, model)
            .Select(column => SequenceSql.PastRows(
                Quoted(column.Table.Name, column.Table.Schema), column.Name, Quoted(column.Name))).ToList();
        if (moves.Count > 0)
        {
            // The provider appends its own as the last command, for the same columns.
            if (!all[^1].CommandText.StartsWith(ProvidersMove, StringComparison.Ordinal))
            {
                throw new NotSupportedException(
                    "The provider moves sequences past inserted rows in another way than this library knows. " +
                    $"It wrote: {all[^1].CommandText}");
            }

            all.RemoveAt(all.Count - 1);
        }

        return
        [
            .. all.Select(command => _own.Contains(command.CommandText) ? Own(command.CommandText) : command),
            .. moves.Select(Own),
        ];
    }

    protected override void Generate(
        EnsureSchemaOperation operation, IModel? model, MigrationCommandListBuilder builder)
    {
        if (operation.Name == "public")
        {
            // It is there.
            return;
        }

        // IF NOT EXISTS: EF's own MigrateAsync says this twice, for the history table and in the first migration.
        builder
            .Append("CREATE SCHEMA IF NOT EXISTS ")
            .Append(Quoted(operation.Name))
            .AppendLine(Dependencies.SqlGenerationHelper.StatementTerminator)
            .EndCommand();
    }

    protected override void Generate(
        DropSchemaOperation operation, IModel? model, MigrationCommandListBuilder builder) =>
        throw new NotSupportedException(
            $"DROP SCHEMA \"{operation.Name}\": a migration drops no schema. The tenant's own has the migration " +
            "history. Drop the tables. A shared schema belongs to the shared migrations.");

    protected override void Generate(SqlOperation operation, IModel? model, MigrationCommandListBuilder builder)
    {
        if (operation[OwnCommand.Annotation] is null)
        {
            base.Generate(operation, model, builder);
            return;
        }

        _own.Add(operation.Sql);
        builder.Append(operation.Sql).EndCommand();
    }

    /// <summary>A serial column that becomes an identity column goes on with its numbers.</summary>
    protected override void Generate(
        AlterColumnOperation operation, IModel? model, MigrationCommandListBuilder builder)
    {
        if (Strategy(operation.OldColumn) != NpgsqlValueGenerationStrategy.SerialColumn
            || Strategy(operation) is not (NpgsqlValueGenerationStrategy.IdentityAlwaysColumn
                or NpgsqlValueGenerationStrategy.IdentityByDefaultColumn))
        {
            base.Generate(operation, model, builder);
            return;
        }

        // The new sequence gets the name that the old one has.
        var sequence = Quoted($"{operation.Table}_{operation.Name}_seq", operation.Schema);
        var old = $"{operation.Table}_{operation.Name}_old_seq";
        builder.AppendLine($"ALTER SEQUENCE {sequence} RENAME TO {Quoted(old)};").EndCommand();
        // Without its strategy the provider takes the old column for a plain one, and only adds the identity.
        var serial = operation.OldColumn.FindAnnotation(NpgsqlAnnotationNames.ValueGenerationStrategy)!;
        operation.OldColumn.RemoveAnnotation(serial.Name);
        try
        {
            base.Generate(operation, model, builder);
        }
        finally
        {
            operation.OldColumn.AddAnnotation(serial.Name, serial.Value);
        }

        var go = SequenceSql.Continue(sequence, Quoted(old, operation.Schema));
        _own.Add(go);
        builder.Append(go).EndCommand();
        builder.AppendLine($"DROP SEQUENCE {Quoted(old, operation.Schema)};").EndCommand();
    }

    /// <summary>Columns with generated values of the tables that rows are inserted into.</summary>
    private static IEnumerable<IColumn> GeneratedKeys(IReadOnlyList<MigrationOperation> operations, IModel? model) =>
        operations.OfType<InsertDataOperation>().Select(insert => (insert.Table, insert.Schema)).Distinct()
            .SelectMany(into => model?.GetRelationalModel().FindTable(into.Table, into.Schema)?.Columns ?? [])
            .Where(column => column.PropertyMappings.Any(mapping =>
                mapping.Property.GetValueGenerationStrategy() is NpgsqlValueGenerationStrategy.IdentityByDefaultColumn
                    or NpgsqlValueGenerationStrategy.IdentityAlwaysColumn
                    or NpgsqlValueGenerationStrategy.SerialColumn))
            .Distinct();

    private static NpgsqlValueGenerationStrategy? Strategy(ColumnOperation column) =>
        column[NpgsqlAnnotationNames.ValueGenerationStrategy] as NpgsqlValueGenerationStrategy?;

    private OwnCommand Own(string text) => new(
        new TenantCommand(commands, text, text, []) { IsOwn = true }, Dependencies.CurrentContext.Context,
        Dependencies.Logger);

    private string Quoted(string name, string? schema = null) =>
        Dependencies.SqlGenerationHelper.DelimitIdentifier(name, schema);
}

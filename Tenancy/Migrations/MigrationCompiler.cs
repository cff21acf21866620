using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Storage;
using Tenancy.Stamping;

namespace Tenancy.Migrations;

/// <summary>Turns EF's migrations of a tenant model into SQL, by EF's own generator. Asks no server.</summary>
internal static class MigrationCompiler
{
    /// <exception cref="InvalidOperationException">A migration can't be stamped; the message names it and the line.</exception>
    public static CompiledMigrations Compile(DbContext context)
    {
        var assembly = context.GetService<IMigrationsAssembly>();
        var provider = context.GetService<IDatabaseProvider>().Name;
        var history = context.GetService<IHistoryRepository>();
        var shared = context.GetService<SharedObjects>().Of(context.Model);
        var migrations = assembly.Migrations
            .OrderBy(entry => entry.Key, StringComparer.Ordinal)
            .Select(entry =>
            {
                var sql = new StringBuilder();
                foreach (var command in Commands(context, assembly.CreateMigration(entry.Value, provider)))
                {
                    sql.Append(Checked(entry.Key, command, shared));
                }

                return new CompiledMigration(entry.Key, Append(sql, history.GetInsertScript(new(entry.Key, ProductInfo.GetVersion()))).ToString());
            })
            .ToList();

        var table = context.GetService<IDbContextOptions>().Extensions.OfType<RelationalOptionsExtension>().Single();
        if (table.MigrationsHistoryTableSchema != TenantPlaceholder.Schema)
        {
            throw new InvalidOperationException(
                "The history table of a tenant context belongs into the tenant's schema: configure it by UseTenancy(), after UseNpgsql().");
        }

        return new(migrations, Append(new(), history.GetCreateScript()).ToString(), table.MigrationsHistoryTableName ?? HistoryRepository.DefaultTableName);
    }

    private static IReadOnlyList<MigrationCommand> Commands(DbContext context, Migration migration) =>
        context.GetService<IMigrationsSqlGenerator>().Generate(
            migration.UpOperations,
            context.GetService<IModelRuntimeInitializer>().Initialize(migration.TargetModel, designTime: true, validationLogger: null));

    private static string Checked(string migration, MigrationCommand command, AllowList shared)
    {
        var text = command.CommandText;
        if (command.TransactionSuppressed)
        {
            throw new InvalidOperationException(
                $"Migration {migration} has a command that can't run in a transaction, which a customer's migrations do: {FirstLine(text)}");
        }

        var cut = StatementCut.Of(text);
        if (cut.PlaceholderInLiteral is { } at)
        {
            var line = text.AsSpan(0, at).Count('\n') + 1;
            throw new InvalidOperationException(
                $"Migration {migration} has \"{TenantPlaceholder.Schema}\" inside a literal or a dollar body, which is data and is never stamped. " +
                $"Name the schema as an identifier instead. Line {line} of: {FirstLine(text)}");
        }

        try
        {
            cut.Guard(shared);
        }
        catch (CommandRefusedException refusal)
        {
            throw new InvalidOperationException($"Migration {migration} does what no tenant's migration may: {refusal.Message} In: {FirstLine(text)}", refusal);
        }

        return Append(new(), text).ToString();
    }

    /// <summary>Texts are joined, so each has to end its last statement, on a line of its own lest a comment swallow the end.</summary>
    private static StringBuilder Append(StringBuilder sql, string text) =>
        sql.Append(text.TrimEnd()).Append(text.TrimEnd().EndsWith(';') ? "\n" : "\n;\n");

    private static string FirstLine(string text) => text.TrimStart().Split('\n', 2)[0].TrimEnd();
}

using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.Options;
using Tenancy.Migrations;
using Tenancy.Sql;

namespace Tenancy.Citus;

/// <summary>Finds what Citus refuses in tenants' migrations, all at once. Asks no server.</summary>
internal static class CitusCheck
{
    private static readonly CitusRefusal NoKey = new(
        "This table has no primary key in the end, and a tenant that has it can't be moved to another node (command " +
        "move) while it is served.",
        "Give it a primary key, or REPLICA IDENTITY FULL.");

    /// <summary>What the guard or EF refuses isn't among these: <see cref="MigrationCompiler"/> has it.</summary>
    /// <param name="contexts">All of an application's.</param>
    /// <param name="unsafeTriggers">Whether <c>citus.enable_unsafe_triggers</c> is on.</param>
    public static IReadOnlyList<string> Problems(IReadOnlyList<TenantContext> contexts, bool unsafeTriggers) =>
        Problems(
            contexts.SelectMany(Commands).OrderBy(command => command.Migration, StringComparer.Ordinal),
            unsafeTriggers);

    /// <param name="commands">In the order in which they run.</param>
    /// <param name="unsafeTriggers">Whether <c>citus.enable_unsafe_triggers</c> is on.</param>
    public static IReadOnlyList<string> Problems(
        IEnumerable<(string Migration, string Sql)> commands, bool unsafeTriggers)
    {
        var problems = new List<string>();
        var known = new KnownTables();
        foreach (var (migration, sql) in commands)
        {
            foreach (var statement in Statements(sql))
            {
                problems.AddRange(CitusRules.Find(statement, known, unsafeTriggers)
                    .Select(refusal => Tell(migration, statement, refusal)));
                known.Apply(migration, statement);
            }
        }

        return
        [
            .. problems.Distinct(),
            .. known.WithoutKey.OrderBy(table => table.Migration, StringComparer.Ordinal)
                .Select(table => Tell(table.Migration, table.Statement, NoKey)),
        ];
    }

    private static string Tell(string migration, SqlStatement statement, CitusRefusal refusal) =>
        $"Migration {migration}: {refusal.Why} {refusal.Instead} In: {statement.Text}";

    private static IReadOnlyList<SqlStatement> Statements(string sql)
    {
        try
        {
            return StatementReader.Statements(sql);
        }
        catch (CommandRefusedException)
        {
            return [];
        }
    }

    private static IReadOnlyList<(string Migration, string Sql)> Commands(TenantContext of)
    {
        var commands = new List<(string, string)>();
        try
        {
            using var context = of.Open();
            foreach (var id in context.GetService<IMigrationsAssembly>().Migrations.Keys)
            {
                commands.AddRange(Commands(context, id).Select(sql => (id, sql)));
            }
        }
        catch (Exception e) when (e is not OptionsValidationException)
        {
            // The model's rules, which the compiler tells.
        }

        return commands;
    }

    private static IEnumerable<string> Commands(DbContext context, string id)
    {
        try
        {
            return [.. MigrationCompiler.Commands(context, id).Where(command => command is not OwnCommand)
                .Select(command => command.CommandText)];
        }
        catch (TenantMigrationException)
        {
            return [];
        }
    }
}

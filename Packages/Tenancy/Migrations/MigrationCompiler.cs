using System.Reflection;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Options;
using Tenancy.Sql;

namespace Tenancy.Migrations;

/// <summary>Turns EF's migrations of a tenant model into SQL, by EF's own generator. Asks no server.</summary>
internal static class MigrationCompiler
{
    /// <summary>
    /// The migrations of the tenant contexts by their attributes alone, which takes no model; their SQL is made when
    /// somebody asks for it.
    /// </summary>
    /// <param name="contexts">All of an application's; their migrations are one set, in the order of their ids.</param>
    /// <exception cref="TenantMigrationException">Two contexts have a migration of the same id.</exception>
    public static CompiledMigrations Find(params IReadOnlyList<TenantContext> contexts)
    {
        var found = contexts.SelectMany(context => Ids(context.Type, context.Assembly)).ToList();
        if (found.GroupBy(entry => entry.Key).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw new TenantMigrationException(
                $"Two tenant contexts have a migration with the id {twice.Key}: " +
                $"{string.Join(" and ", twice.Select(entry => entry.Value.FullName))}. A tenant's history has each id " +
                "once: give one of them another time stamp.");
        }

        return new(
            found.Select(entry => entry.Key).Order(StringComparer.Ordinal),
            found.Where(entry => entry.Value.IsDefined(typeof(BreaksOlderBuildsAttribute))).Select(entry => entry.Key),
            () => Compile([.. contexts.Select(context => context.Open)]))
        {
            Contexts = contexts,
        };
    }

    /// <inheritdoc cref="Find(IReadOnlyList{TenantContext})"/>
    /// <param name="contextType">The tenant context's type.</param>
    /// <param name="open">Makes one, for the compiler.</param>
    public static CompiledMigrations Find(Type contextType, Func<DbContext> open) =>
        Find(new TenantContext(contextType, contextType.Assembly, open));

    /// <summary>
    /// Id and class of each migration of a context, by the attributes that EF's tools write, in order.
    /// </summary>
    /// <param name="contextType">The context.</param>
    /// <param name="assembly">Where they are; null for the context's own.</param>
    public static IReadOnlyDictionary<string, Type> Ids(Type contextType, Assembly? assembly = null) =>
        new SortedList<string, Type>(
            (assembly ?? contextType.Assembly).GetTypes()
                .Where(type => type.IsSubclassOf(typeof(Migration)) && !type.IsAbstract
                    && Own<DbContextAttribute>(type)?.ContextType == contextType)
                .Select(type => (Own<MigrationAttribute>(type)?.Id, Type: type))
                .Where(found => found.Id is not null)
                .ToDictionary(found => found.Id!, found => found.Type),
            StringComparer.Ordinal);

    /// <summary>A class's own attribute, else its base's: a migration may derive from another one.</summary>
    private static T? Own<T>(Type type) where T : Attribute =>
        type.GetCustomAttribute<T>(inherit: false) ?? type.GetCustomAttributes<T>(inherit: true).FirstOrDefault();

    /// <exception cref="TenantMigrationException">The model or a migration can't be a tenant's; the message names the
    /// migration and says what to do.</exception>
    public static CompiledSql Compile(params IReadOnlyList<Func<DbContext>> contexts)
    {
        try
        {
            var tables = new Dictionary<string, string>(StringComparer.Ordinal);
            CompiledSql? all = null;
            foreach (var open in contexts)
            {
                using var context = open();
                if (contexts.Count > 1)
                {
                    RefuseOthersTables(context, tables);
                }

                var sql = Compile(context, open);
                all = all is null ? sql : all.With(sql, context);
            }

            return all! with { Migrations = [.. all.Migrations.OrderBy(one => one.Id, StringComparer.Ordinal)] };
        }
        catch (Exception e) when (e is not (TenantMigrationException or OptionsValidationException))
        {
            // Nothing here asks a server: whatever fails, the build is the cause.
            throw new TenantMigrationException($"The tenants' migrations can't be compiled: {e.Message}", e);
        }
    }

    /// <summary>
    /// All that <see cref="Compile(IReadOnlyList{Func{DbContext}})"/> would refuse, not the first alone.
    /// </summary>
    /// <returns>Sentences; none where tenants can be served.</returns>
    public static IReadOnlyList<string> Problems(IReadOnlyList<TenantContext> contexts)
    {
        var problems = new List<string>();
        var tables = new Dictionary<string, string>(StringComparer.Ordinal);
        Try(() => Find(contexts));
        foreach (var one in contexts)
        {
            try
            {
                using var context = one.Open();
                Problems(context, tables, Try);
            }
            catch (Exception e) when (e is not OptionsValidationException)
            {
                // The model's rules, which list all that is wrong with it.
                problems.Add($"{one.Type.Name}: {e.Message}");
            }
        }

        return [.. problems.Distinct()];

        void Try(Action check)
        {
            try
            {
                check();
            }
            catch (TenantMigrationException e)
            {
                problems.Add(e.Message);
            }
        }
    }

    private static void Problems(DbContext context, Dictionary<string, string> tables, Action<Action> collect)
    {
        var model = context.Model;
        collect(() => MigratorOptions.Check(context));
        collect(() => RefuseOthersTables(context, tables));
        var shared = context.GetService<SharedObjects>().Of(model);
        var ids = context.GetService<IMigrationsAssembly>().Migrations.Keys.Order(StringComparer.Ordinal).ToList();
        collect(() => RefuseWithoutMigrations(context, ids));
        foreach (var id in ids)
        {
            collect(() =>
            {
                var migration = Migration(context, id);
                foreach (var command in Generate(context, id, migration.UpOperations, migration.TargetModel))
                {
                    collect(() => Checked(id, command, shared));
                }

                Compile(context, id, migration.UpOperations, migration.TargetModel, history: null);
            });
        }
    }

    private static void RefuseOthersTables(DbContext context, Dictionary<string, string> tables)
    {
        foreach (var table in Tables(context))
        {
            if (!tables.TryAdd(table.Name, context.GetType().Name))
            {
                throw new TenantMigrationException(
                    $"{tables[table.Name]} and {context.GetType().Name} both make the table '{table.Name}' in a " +
                    "tenant's schema. In one of them, map it with ToTable(name, table => " +
                    "table.ExcludeFromMigrations()), or give it another name.");
            }
        }
    }

    /// <summary>Those that the context's migrations make in a tenant's schema.</summary>
    private static IEnumerable<ITable> Tables(DbContext context) =>
        context.GetService<IDesignTimeModel>().Model.GetRelationalModel().Tables
            .Where(table => table.Schema == TenantPlaceholder.Schema && !table.IsExcludedFromMigrations);

    private static CompiledSql Compile(DbContext context, Func<DbContext> open)
    {
        MigratorOptions.Check(context);
        var relational = context.GetService<IDbContextOptions>().Extensions.OfType<RelationalOptionsExtension>()
            .Single();
        var assembly = context.GetService<IMigrationsAssembly>();
        var ids = assembly.Migrations.Keys.Order(StringComparer.Ordinal).ToList();
        RefuseWithoutMigrations(context, ids);
        // Each once: it brings the model that it leaves along.
        var migrations = ids.ConvertAll(id => Migration(context, id));
        var inOrder = migrations.SelectMany(migration => migration.UpOperations)
            .Any(operation => operation[NewSchema.Annotation] as string == NewSchema.InOrder);
        return new(
            [
                .. ids.Select((id, at) => new CompiledMigration(
                    id, Up(context, id, migrations[at], inOrder), new(() => Down(open, id, at == 0 ? null : ids[at - 1])))
                {
                    BreaksOlderBuilds = assembly.Migrations[id].IsDefined(typeof(BreaksOlderBuildsAttribute)),
                }),
            ],
            Append(new(), context.GetService<IHistoryRepository>().GetCreateScript()).ToString(),
            relational.MigrationsHistoryTableName ?? HistoryRepository.DefaultTableName);
    }

    private static void RefuseWithoutMigrations(DbContext context, List<string> ids)
    {
        if (ids.Count == 0 && Tables(context).Any())
        {
            var name = context.GetType().Name;
            throw new TenantMigrationException(
                $"{name} has tables and no migrations, so a new tenant would have none of them. Add one: dotnet ef " +
                $"migrations add Initial --context {name}; or, where they are in another assembly, name it by " +
                "MigrationsFrom.");
        }
    }

    private static MigrationSql Up(DbContext context, string id, Migration migration, bool inOrder)
    {
        var operations = migration.UpOperations;
        var history = context.GetService<IHistoryRepository>().GetInsertScript(new(id, ProductInfo.GetVersion()));
        var sql = Compile(context, id, operations, migration.TargetModel, history);
        if (inOrder || sql.OutsideTransaction || operations.All(operation => operation[NewSchema.Annotation] is null))
        {
            return sql;
        }

        return MigrationSql.InTransaction(
            sql.InNewSchema,
            Compile(context, id, Of(NewSchema.First), migration.TargetModel, history: null).InNewSchema,
            Compile(context, id, Of(null), migration.TargetModel, history).InNewSchema);

        MigrationOperation[] Of(string? what) =>
            [.. operations.Where(operation => operation[NewSchema.Annotation] as string == what)];
    }

    /// <summary>What it leaves is the model of the one before.</summary>
    private static MigrationSql Down(Func<DbContext> open, string id, string? before)
    {
        using var context = open();
        try
        {
            return Compile(
                context, id, Migration(context, id).DownOperations,
                before is null ? null : Migration(context, before).TargetModel,
                context.GetService<IHistoryRepository>().GetDeleteScript(id));
        }
        catch (NotSupportedException e)
        {
            // Whoever wrote the migration has said no more than this.
            throw new NotSupportedException($"The migration {id} can't be taken back: {e.Message}", e);
        }
    }

    private static Migration Migration(DbContext context, string id)
    {
        var assembly = context.GetService<IMigrationsAssembly>();
        return assembly.CreateMigration(assembly.Migrations[id], context.GetService<IDatabaseProvider>().Name);
    }

    /// <summary>The commands of a migration, as EF's generator makes them.</summary>
    /// <exception cref="TenantMigrationException">An operation can't be made into SQL.</exception>
    internal static IReadOnlyList<MigrationCommand> Commands(DbContext context, string id)
    {
        var migration = Migration(context, id);
        return Generate(context, id, migration.UpOperations, migration.TargetModel);
    }

    /// <summary>One direction of one migration.</summary>
    internal static MigrationSql Compile(
        DbContext context, string id, IReadOnlyList<MigrationOperation> operations, IModel? target, string? history)
    {
        var commands = Generate(context, id, operations, target);
        var shared = context.GetService<SharedObjects>().Of(context.Model);
        var historyText = history is null ? "" : Append(new(), history).ToString();
        var texts = commands.Select(command => Checked(id, command, shared)).ToList();
        if (!commands.Any(command => command.TransactionSuppressed))
        {
            return MigrationSql.InTransaction(string.Concat(texts) + historyText);
        }

        var suppressed = commands.First(command => command.TransactionSuppressed).CommandText;
        if (commands.Count > 1)
        {
            throw new TenantMigrationException(
                $"Migration {id} has {commands.Count} commands, and one of them can't run in a transaction with the " +
                $"others: {FirstLine(suppressed)} " +
                "Interrupted, nobody could say which of them have run. Give it a migration of its own.");
        }

        try
        {
            return MigrationSql.Outside(texts[0], historyText);
        }
        catch (FormatException e)
        {
            throw new TenantMigrationException($"Migration {id}: {e.Message}. In: {FirstLine(suppressed)}", e);
        }
    }

    internal static IReadOnlyList<MigrationCommand> Generate(
        DbContext context, string id, IReadOnlyList<MigrationOperation> operations, IModel? target)
    {
        try
        {
            var model = target is null
                ? null
                : context.GetService<IModelRuntimeInitializer>()
                    .Initialize(target, designTime: true, validationLogger: null);
            return context.GetService<IMigrationsSqlGenerator>().Generate(operations, model);
        }
        catch (Exception e)
        {
            throw new TenantMigrationException(
                $"Migration {id} has an operation that can't be made into SQL: {e.Message}", e);
        }
    }

    private static string Checked(string migration, MigrationCommand command, AllowList shared)
    {
        var text = command.CommandText;
        var template = SqlTemplate.Of(text);
        if (template.PlaceholderInLiteral is { } at)
        {
            var line = text.AsSpan(0, at).Count('\n') + 1;
            throw new TenantMigrationException(
                $"Migration {migration} has \"{TenantPlaceholder.Schema}\" inside a literal, which is data and is never " +
                "rewritten. " +
                $"{Instead(text)} Line {line} of: {FirstLine(text)}");
        }

        try
        {
            if (command is not OwnCommand)
            {
                template.Guard(shared, inMigration: true);
            }
        }
        catch (CommandRefusedException refusal)
        {
            throw new TenantMigrationException(
                $"Migration {migration} does what no tenant's migration may: {refusal.Message} In: {FirstLine(text)}",
                refusal);
        }

        return Append(new(), text).ToString();
    }

    private static string Instead(string text) =>
        text.Contains("nextval", StringComparison.OrdinalIgnoreCase)
            ? "A default takes its sequence's name from text. Use an identity column (UseIdentityByDefaultColumn) instead."
            : "Name the schema as an identifier instead.";

    /// <summary>
    /// Texts are joined, so each has to end its last statement, on a line of its own lest a comment swallow the end.
    /// </summary>
    private static StringBuilder Append(StringBuilder sql, string text) =>
        sql.Append(text.TrimEnd()).Append(text.TrimEnd().EndsWith(';') ? "\n" : "\n;\n");

    private static string FirstLine(string text) => text.TrimStart().Split('\n', 2)[0].TrimEnd();
}

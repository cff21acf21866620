using Tenancy.Sql;

namespace Tenancy.Migrations;

/// <summary>One migration as SQL with the placeholder, up and down.</summary>
/// <param name="Id">E.g. <c>20261123101500_Initial</c>.</param>
/// <param name="Up">Applies it.</param>
/// <param name="Down">Takes it back; made when first asked for, because only <c>down</c> asks.</param>
internal sealed record CompiledMigration(string Id, MigrationSql Up, Lazy<MigrationSql> Down)
{
    /// <summary>See <see cref="BreaksOlderBuildsAttribute"/>.</summary>
    public bool BreaksOlderBuilds { get; init; }

    public CompiledMigration(string id, string up, string? down = null)
        : this(id, MigrationSql.InTransaction(up), new Lazy<MigrationSql>(() => MigrationSql.InTransaction(
            down ?? throw new NotSupportedException($"The migration {id} can't be taken back."))))
    {
    }
}

/// <summary>One direction of one migration.</summary>
internal sealed class MigrationSql
{
    private readonly SqlTemplate _script;
    private readonly IReadOnlyList<SqlTemplate> _again;
    private readonly SqlTemplate? _history;

    private MigrationSql(
        string script, string inNewSchema, IReadOnlyList<string>? again = null, string? history = null,
        string first = "")
    {
        FirstInNewSchema = first;
        _script = SqlTemplate.Of(script);
        _again = [.. (again ?? [script]).Select(SqlTemplate.Of)];
        _history = history is null ? null : SqlTemplate.Of(history);
        InNewSchema = inNewSchema;
        Locks = LockEstimate.Of(inNewSchema);
    }

    /// <summary>
    /// Whether it can't run in a transaction: its command runs alone then, and the history row is written when it has
    /// succeeded.
    /// </summary>
    public bool OutsideTransaction => _history is not null;

    /// <summary>
    /// The script for a new schema, with the placeholder. It always runs in a transaction and includes the history row.
    /// </summary>
    public string InNewSchema { get; }

    /// <summary>
    /// The part of the script that a new schema runs before all migrations, with the placeholder. Empty for most.
    /// </summary>
    public string FirstInNewSchema { get; }

    /// <summary>How many locks it holds until its transaction ends, rather too many than too few.</summary>
    public int Locks { get; }

    /// <param name="text">Commands and history row.</param>
    public static MigrationSql InTransaction(string text) => new(text, text);

    /// <param name="text">Commands and history row.</param>
    /// <param name="first">See <see cref="FirstInNewSchema"/>.</param>
    /// <param name="inNewSchema">What is left of it there.</param>
    public static MigrationSql InTransaction(string text, string first, string inNewSchema) =>
        new(text, inNewSchema, first: first);

    /// <param name="command">The one command.</param>
    /// <param name="history">The statement that changes the history.</param>
    /// <exception cref="FormatException">It has no form that runs in a transaction, and a new customer's migrations are
    /// one.</exception>
    public static MigrationSql Outside(string command, string history)
    {
        var concurrent = ConcurrentCommand.Of(command);
        return new(command, concurrent.InTransaction + history, concurrent.Again, history);
    }

    /// <summary>Everything, or the command alone if it is <see cref="OutsideTransaction"/>.</summary>
    public string Script(SchemaName schema) => _script.Rewrite(schema);

    /// <summary>
    /// The commands, each to be sent alone, for a schema in which it was begun before and not seen to end.
    /// </summary>
    public IEnumerable<string> Again(SchemaName schema) => _again.Select(template => template.Rewrite(schema));

    /// <summary>The history row's statement of one that is <see cref="OutsideTransaction"/>.</summary>
    public string History(SchemaName schema) => _history!.Rewrite(schema);
}

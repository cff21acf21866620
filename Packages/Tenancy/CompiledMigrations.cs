using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Tenancy.Citus;
using Tenancy.Migrations;
using Tenancy.Sql;

namespace Tenancy;

/// <summary>
/// The migrations of the tenant model that this build has: their names at once, and, from the first time somebody asks,
/// each as SQL with the placeholder. Applied to one schema or to ten thousand, only the rewriter differs; a new
/// customer and a migrated one come from the same text.
/// </summary>
public sealed class CompiledMigrations
{
    private readonly string[] _ids;
    private readonly Lazy<CompiledSql> _sql;
    private readonly Lazy<SqlTemplate> _create;

    /// <param name="ids">In order.</param>
    /// <param name="breaking">Those that carry <see cref="BreaksOlderBuildsAttribute"/>.</param>
    /// <param name="compile">Makes the SQL; takes some tenths of a second, so it waits until somebody needs it.</param>
    internal CompiledMigrations(IEnumerable<string> ids, IEnumerable<string> breaking, Func<CompiledSql> compile)
    {
        _ids = [.. ids];
        Breaking = breaking.ToHashSet(StringComparer.Ordinal);
        Target = Fingerprint(_ids);
        _sql = new(() =>
        {
            var sql = compile();
            return sql.Migrations.Select(migration => migration.Id).SequenceEqual(_ids.Order(StringComparer.Ordinal))
                ? sql
                : throw new TenantMigrationException(
                    $"EF finds the migrations {string.Join(", ", sql.Migrations.Select(m => m.Id))}, the assembly that " +
                    $"was looked at has {string.Join(", ", _ids)}: name a tenant context's other assembly by " +
                    "MigrationsFrom, and nowhere else.");
        });
        // The first statement is strict, whatever follows: a schema that exists is somebody's and is never adopted.
        _create = new(() => SqlTemplate.Of(
            $"{NewSchemaSql.Create($"\"{TenantPlaceholder.Schema}\"")}{_sql.Value.CreateHistory}" +
            string.Concat(Migrations.Select(migration => migration.Up.FirstInNewSchema)) +
            string.Concat(Migrations.Select(migration => migration.Up.InNewSchema))));
    }

    internal CompiledMigrations(IReadOnlyList<CompiledMigration> migrations, string createHistory, string historyTable)
        : this(
            migrations.Select(migration => migration.Id),
            migrations.Where(migration => migration.BreaksOlderBuilds).Select(migration => migration.Id),
            () => new(migrations, createHistory, historyTable))
    {
    }

    /// <summary>The ids in order, e.g. <c>20261123101500_Initial</c>.</summary>
    public IEnumerable<string> Ids => _ids;

    /// <summary>
    /// The version of a schema that has all of these and nothing else: see <see cref="Fingerprint"/>.
    /// </summary>
    public string Target { get; }

    /// <summary>The ids of the migrations that carry <see cref="BreaksOlderBuildsAttribute"/>.</summary>
    internal IReadOnlySet<string> Breaking { get; }

    internal IReadOnlyList<CompiledMigration> Migrations => _sql.Value.Migrations;

    /// <summary>EF's history table, inside the tenant's schema.</summary>
    internal string HistoryTable => _sql.Value.HistoryTable;

    /// <summary>
    /// The version of a schema: 32 hexadecimal digits over the SET of applied migrations. The last one's name would not
    /// do: a migration merged late, with an older time stamp than one already applied, would go unnoticed.
    /// </summary>
    public static string Fingerprint(IEnumerable<string> migrationIds)
    {
        var ids = string.Join('\n', migrationIds.Order(StringComparer.Ordinal).Distinct());
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(ids)).AsSpan(0, 16));
    }

    /// <summary>
    /// Makes the SQL now, so that nobody waits for it later, and a migration that can't be rewritten is found at once.
    /// </summary>
    /// <exception cref="TenantMigrationException">A migration can't be rewritten; the message names it and the
    /// line.</exception>
    public void Compile() => _ = _create.Value;

    /// <summary>
    /// Finds everything that keeps this build from serving tenants: models, options and migrations that can't be a
    /// tenant's. Asks no server.
    /// </summary>
    /// <returns>Sentences that say what to do; none where all is well.</returns>
    public IReadOnlyList<string> Problems() => MigrationCompiler.Problems(Contexts);

    /// <summary>
    /// Finds everything in these migrations that Citus refuses in a tenant's schema, or does otherwise than one
    /// expects, besides what <see cref="Problems"/> finds. Asks no server. What takes migrations back is not looked at.
    /// </summary>
    /// <param name="unsafeTriggers">Whether the database has <c>citus.enable_unsafe_triggers</c> on. Default:
    /// false.</param>
    /// <returns>For each a line with the migration, the reason, what to do instead, and the statement; none where all
    /// is well.</returns>
    public IReadOnlyList<string> CitusProblems(bool unsafeTriggers = false) =>
        CitusCheck.Problems(Contexts, unsafeTriggers);

    /// <summary>The contexts that they belong to.</summary>
    internal IReadOnlyList<TenantContext> Contexts { get; init; } = [];

    /// <summary>
    /// The id of the migration that somebody means by its id or by the name after the time stamp, as with EF's own
    /// tools; "" for "0", before all of them.
    /// </summary>
    /// <exception cref="ArgumentException">There is none, or the name is that of several.</exception>
    public string Find(string idOrName)
    {
        ArgumentException.ThrowIfNullOrEmpty(idOrName);
        if (idOrName == "0")
        {
            return "";
        }

        return _ids.Where(id => id.Equals(idOrName, StringComparison.OrdinalIgnoreCase)
            || id[(id.IndexOf('_', StringComparison.Ordinal) + 1)..].Equals(idOrName, StringComparison.OrdinalIgnoreCase))
            .ToList() switch
        {
            [var one] => one,
            [] => throw new ArgumentException(
                $"This build has no migration '{idOrName}'. It has: {string.Join(", ", _ids)}.", nameof(idOrName)),
            var several => throw new ArgumentException(
                $"'{idOrName}' may be each of {string.Join(", ", several)}: use the whole id.", nameof(idOrName)),
        };
    }

    /// <summary>These migrations up to the given one.</summary>
    /// <param name="id">As <see cref="Find"/> returns it.</param>
    internal CompiledMigrations UpTo(string id) =>
        Only(_ids.Where(other => string.CompareOrdinal(other, id) <= 0).ToHashSet(StringComparer.Ordinal));

    /// <summary>These migrations, limited to the given ids.</summary>
    internal CompiledMigrations Only(IReadOnlySet<string> ids) => _ids.All(ids.Contains)
        ? this
        : new(_ids.Where(ids.Contains), Breaking.Where(ids.Contains), () => _sql.Value with
        {
            Migrations = [.. Migrations.Where(migration => ids.Contains(migration.Id))],
        });

    /// <summary>
    /// Whether a routine of a new schema keeps the schema's name as text, in its body or its search_path: then a rename
    /// has to change it.
    /// </summary>
    internal bool KeepsName => _create.Value.InBodies || _create.Value.SetsPath;

    /// <summary>The statement that makes the history table.</summary>
    internal string CreateHistoryScript(SchemaName schema) => SqlTemplate.Of(_sql.Value.CreateHistory).Rewrite(schema);

    /// <summary>
    /// Everything a new schema needs, in one text: schema, history table, all migrations with their history rows.
    /// </summary>
    internal string CreateScript(SchemaName schema) => _create.Value.Rewrite(schema);
}

/// <summary>The result of compiling.</summary>
/// <param name="Migrations">In the order of their ids.</param>
/// <param name="CreateHistory">The statement that makes EF's history table, with the placeholder.</param>
/// <param name="HistoryTable">That table's name.</param>
internal sealed record CompiledSql(
    IReadOnlyList<CompiledMigration> Migrations, string CreateHistory, string HistoryTable)
{
    /// <summary>Adds the migrations of another context.</summary>
    /// <exception cref="TenantMigrationException">It has another history.</exception>
    public CompiledSql With(CompiledSql other, DbContext context) => CreateHistory == other.CreateHistory
        ? this with { Migrations = [.. Migrations, .. other.Migrations] }
        : throw new TenantMigrationException(
            $"{context.GetType().Name} keeps its history in '{other.HistoryTable}', and another tenant context in " +
            $"'{HistoryTable}'. A tenant has one history of all contexts: give MigrationsHistoryTable one name, or " +
            "leave it out.");
}

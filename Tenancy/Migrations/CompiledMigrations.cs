using System.Security.Cryptography;
using System.Text;
using Tenancy.Stamping;

namespace Tenancy;

/// <summary>
/// Every migration of the tenant model as SQL with the placeholder, made once per process: applied to one schema or to ten thousand,
/// only the stamp differs. A new customer and a migrated one come from the same text.
/// </summary>
public sealed class CompiledMigrations
{
    private readonly StatementCut _create;
    private readonly HashSet<string> _older;

    internal CompiledMigrations(IReadOnlyList<CompiledMigration> migrations, string createHistory, string historyTable)
    {
        Migrations = migrations;
        HistoryTable = historyTable;
        Target = Fingerprint(migrations.Select(migration => migration.Id));
        _older = [.. Enumerable.Range(0, migrations.Count).Select(count => Fingerprint(migrations.Take(count).Select(m => m.Id)))];
        // The first statement is strict, whatever follows: a schema that exists is somebody's and is never adopted.
        _create = StatementCut.Of(
            $"CREATE SCHEMA \"{TenantPlaceholder.Schema}\";\n{createHistory}{string.Concat(migrations.Select(migration => migration.Up))}");
    }

    /// <summary>The ids in order, e.g. <c>20261123101500_Initial</c>.</summary>
    public IEnumerable<string> Ids => Migrations.Select(migration => migration.Id);

    /// <summary>The version of a schema that has all of these and nothing else: see <see cref="Fingerprint"/>.</summary>
    public string Target { get; }

    internal IReadOnlyList<CompiledMigration> Migrations { get; }

    /// <summary>EF's history table, inside the tenant's schema.</summary>
    internal string HistoryTable { get; }

    /// <summary>
    /// The version of a schema: 32 hexadecimal digits over the SET of applied migrations. The last one's name would not do: a
    /// migration merged late, with an older time stamp than one already applied, would go unnoticed.
    /// </summary>
    public static string Fingerprint(IEnumerable<string> migrationIds)
    {
        var ids = string.Join('\n', migrationIds.Order(StringComparer.Ordinal).Distinct());
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(ids)).AsSpan(0, 16));
    }

    /// <summary>Whether that version is one this build's migrations went through before: the schema waits to be migrated.</summary>
    public bool IsBehind(string version) => _older.Contains(version);

    /// <summary>Everything a new schema needs, in one text: schema, history table, all migrations with their history rows.</summary>
    internal string CreateScript(SchemaName schema) => _create.Stamp(schema);
}

/// <summary>One migration: its commands and its history row, to be run in one transaction.</summary>
internal sealed class CompiledMigration(string id, string up)
{
    private readonly StatementCut _cut = StatementCut.Of(up);

    public string Id { get; } = id;

    public string Up { get; } = up;

    public string UpScript(SchemaName schema) => _cut.Stamp(schema);
}

using Npgsql;
using Tenancy.Citus;
using Tenancy.Ledgers;
using Tenancy.Migrations;

namespace Tenancy.Transfer;

/// <summary>
/// A new, empty schema that takes rows from elsewhere, in the caller's transaction. Parents before children; triggers
/// don't fire, because they fired when the rows were first written; sequences end past the rows.
/// </summary>
internal sealed class Landing
{
    private readonly NpgsqlConnection _connection;
    private readonly IReadOnlyList<ForeignKey> _dropped;

    private Landing(NpgsqlConnection connection, Tenant tenant, IReadOnlyList<SchemaTable> tables,
        IReadOnlyList<ForeignKey> dropped, IReadOnlyList<OwnedSequence> sequences) =>
        (_connection, Tenant, Tables, _dropped, Sequences) = (connection, tenant, tables, dropped, sequences);

    public Tenant Tenant { get; }

    public NpgsqlConnection Connection => _connection;

    public SchemaName Schema => Tenant.Schema;

    /// <summary>In the order in which rows have to come.</summary>
    public IReadOnlyList<SchemaTable> Tables { get; }

    public IReadOnlyList<OwnedSequence> Sequences { get; }

    /// <summary>Whether the rows go to a node of a Citus cluster.</summary>
    public bool IsOnCitus { get; private init; }

    /// <summary>Empties the tables (migrations may have written rows) and prepares them.</summary>
    /// <param name="connection">In the transaction that made the schema.</param>
    /// <param name="tenant">Whose it is.</param>
    /// <param name="history">EF's history table.</param>
    /// <param name="other">The schema that the rows come from; empty for none.</param>
    /// <param name="ct">Ends the work; roll the transaction back.</param>
    public static async Task<Landing> OpenAsync(
        NpgsqlConnection connection, Tenant tenant, string history, string other, CancellationToken ct)
    {
        var schema = tenant.Schema;
        var tables = await SchemaTable.ReadAsync(connection, schema, history, ct);
        var keys = await ForeignKey.ReadAsync(connection, schema, ct);
        var (ordered, dropped) = ForeignKey.Order([.. tables.Select(table => table.Name)], keys, _ => true);
        var landing = new Landing(connection, tenant,
            [.. ordered.Select(name => tables.Single(table => table.Name == name))], dropped,
            await OwnedSequence.ReadAsync(connection, schema, other, ct))
        {
            IsOnCitus = await CitusEngine.IsPresentAsync(connection, ct),
        };
        var names = tables.Select(table => schema.Qualify(table.Name)).ToList();
        if (names.Count > 0)
        {
            // A table with checks that wait for the transaction's end can't be altered.
            await landing.ExecuteAsync("SET CONSTRAINTS ALL IMMEDIATE;"
                + landing.Triggers("DISABLE")
                + $"TRUNCATE {string.Join(", ", names)};"
                + string.Concat(dropped.Select(key => key.Drop(schema))), ct);
        }

        return landing;
    }

    /// <summary>All rows are there: checks the keys that had to wait, and makes ready what depends on rows.</summary>
    public async Task CloseAsync(CancellationToken ct)
    {
        var sql = Triggers("ENABLE")
            + string.Concat(_dropped.Select(key => key.Add(Schema)))
            + string.Concat(Sequences.Where(sequence => sequence.Table is not null)
                .Select(sequence => sequence.PastRows(Schema)))
            + string.Concat(
                (await ViewsAsync(ct)).Select(view => $"REFRESH MATERIALIZED VIEW {Schema.Qualify(view)};"));
        if (sql.Length > 0)
        {
            await ExecuteAsync(sql, ct);
        }
    }

    /// <summary>Copies the rows of another schema at the same version, and lets its sequences go on.</summary>
    /// <returns>How many rows of each table.</returns>
    public async Task<IReadOnlyDictionary<string, long>> CopyAsync(SchemaName source, CancellationToken ct)
    {
        var copied = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var table in Tables)
        {
            var columns = string.Join(", ", table.Columns.Select(Adoption.Quoted.Name));
            // A table without columns has rows, too; SQL has no INSERT for them.
            copied[table.Name] = table.Columns.Count == 0 ? 0 : await ExecuteAsync(
                $"INSERT INTO {Schema.Qualify(table.Name)} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM " +
                $"{(table.IsPartitioned ? "" : "ONLY ")}{source.Qualify(table.Name)}", ct);
        }

        foreach (var sequence in Sequences.Where(sequence => sequence.IsInOther))
        {
            await ExecuteAsync(
                SequenceSql.Continue(Schema.Qualify(sequence.Name), source.Qualify(sequence.Name)), ct);
        }

        return copied;
    }

    /// <summary>Only of tables that have any: Citus refuses the statement for every other table.</summary>
    private string Triggers(string change) => string.Concat(Tables.Where(table => table.HasTriggers)
        .Select(table => $"ALTER TABLE {Schema.Qualify(table.Name)} {change} TRIGGER USER;"));

    public async Task<long> ExecuteAsync(string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, _connection) { CommandTimeout = 0 };
        return await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Materialized views in the order in which they were made: each reads only earlier ones.</summary>
    private async Task<IReadOnlyList<string>> ViewsAsync(CancellationToken ct)
    {
        await using var ask = new NpgsqlCommand(
            $"""
            SELECT c.relname::text FROM pg_catalog.pg_class AS c
            WHERE c.oid IN ({SchemaRelations.Oids}) AND c.relkind = 'm' ORDER BY c.oid
            """, _connection) { Parameters = { LedgerTable.Text(Schema.Value) } };
        return await ask.NamesAsync(ct);
    }
}

using System.Globalization;
using Npgsql;
using Tenancy.Ledgers;
using Tenancy.Migrations;
using Tenancy.Transfer;

namespace Tenancy.Adoption;

/// <summary>
/// Copies one tenant's rows out of tables that all tenants share, in the caller's transaction, in which the tenant's
/// schema was made. Parents before children; a table without the tenant's column gives the rows whose parents were
/// copied.
/// </summary>
internal sealed class RowCopy(
    NpgsqlConnection connection, string source, string column, SchemaName schema, string history)
{
    /// <param name="value">The tenant's value of the column, as text.</param>
    /// <param name="ct">Ends the work; roll the transaction back.</param>
    /// <returns>How many rows of each table were copied.</returns>
    /// <exception cref="AdoptionException">The tables don't fit, or the copy isn't what was copied.</exception>
    public async Task<IReadOnlyDictionary<string, long>> CopyAsync(string value, CancellationToken ct)
    {
        var tables = await TablesAsync(ct);
        var keys = await ForeignKey.ReadAsync(connection, schema, ct);
        var (ordered, dropped) = ForeignKey.Order([.. tables.Keys], keys, table => tables[table].HasColumn);
        // A table with checks that wait for the transaction's end can't be altered.
        await ExecuteAsync("SET CONSTRAINTS ALL IMMEDIATE", ct);
        foreach (var key in dropped)
        {
            // They come back when all rows are there.
            await ExecuteAsync(key.Drop(schema), ct);
        }

        var copied = new SortedDictionary<string, long>(StringComparer.Ordinal);
        var parents = new Dictionary<string, ForeignKey[]>(StringComparer.Ordinal);
        foreach (var table in ordered)
        {
            // Whose a row is, only parents say that were copied.
            parents[table] = [.. keys.Where(key => key.Table == table && copied.ContainsKey(key.Parent))];
            copied[table] = await CopyAsync(tables[table], Filter(tables, parents, table, "t"), value, ct);
        }

        foreach (var key in dropped)
        {
            await ExecuteAsync(key.Add(schema), ct);
        }

        await MoveSequencesAsync(ct);
        return copied;
    }

    private async Task<long> CopyAsync(CopiedTable table, string filter, string value, CancellationToken ct)
    {
        var columns = string.Join(", ", table.Columns.Select(Quoted.Name));
        var rows = $"FROM {Quoted.Name(source, table.Name)} AS t WHERE {filter}";
        // The tenant's triggers have run when these rows were first written.
        await SwitchTriggersAsync(table, "DISABLE", ct);
        await ExecuteAsync(
            $"INSERT INTO {Own(table.Name)} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} {rows}", ct, value);
        await SwitchTriggersAsync(table, "ENABLE", ct);

        // The sum doesn't depend on the rows' order, and each column of each row is in it.
        var sum = $"count(*), coalesce(sum(hashtextextended(ROW({columns})::text, 0)::numeric), 0)";
        var wanted = await SumAsync($"SELECT {sum} {rows}", value, ct);
        var has = await SumAsync($"SELECT {sum} FROM {Own(table.Name)} AS t", null, ct);
        return has == wanted
            ? has.Count
            : throw new AdoptionException(string.Create(CultureInfo.InvariantCulture,
                $"The copy of {source}.{table.Name} has {has.Count} rows of {wanted.Count}, or others. ") +
                "Is there a trigger or a rule in the tenants' migrations that changes rows? Nothing was changed.");
    }

    /// <summary>Nothing where there are none: Citus refuses the statement for a table on a node.</summary>
    private async Task SwitchTriggersAsync(CopiedTable table, string change, CancellationToken ct)
    {
        if (table.HasTriggers)
        {
            await ExecuteAsync($"ALTER TABLE {Own(table.Name)} {change} TRIGGER USER", ct);
        }
    }

    /// <summary>
    /// Rows of the tenant: by the column, else by the parents that are copied. It reads the shared tables alone,
    /// because Citus doesn't join a table on a node to one that is on the coordinator.
    /// </summary>
    private string Filter(IReadOnlyDictionary<string, CopiedTable> tables,
        Dictionary<string, ForeignKey[]> parents, string table, string alias)
    {
        if (tables[table].HasColumn)
        {
            return $"{alias}.{Quoted.Name(column)}::text = $1";
        }

        if (parents[table].Length == 0)
        {
            throw new AdoptionException(
                $"{source}.{table} has neither the column '{column}' nor a foreign key to a table that has it, so " +
                "nobody can say whose its rows are. If all tenants share it, map it with ToTable(name, schema, table " +
                "=> table.ExcludeFromMigrations()) and leave it where it is.");
        }

        var parent = $"{alias}p";
        // The parameter has to be somewhere.
        return "$1::text IS NOT NULL AND (" + string.Join(" OR ", parents[table].Select(key =>
            $"EXISTS (SELECT FROM {Quoted.Name(source, key.Parent)} AS {parent} WHERE " +
            string.Concat(key.Columns.Zip(key.ParentColumns, (child, of) =>
                $"{parent}.{Quoted.Name(of)} = {alias}.{Quoted.Name(child)} AND ")) +
            $"{Filter(tables, parents, key.Parent, parent)})")) + ")";
    }

    /// <summary>The tenant's tables, and of each the columns that can be copied.</summary>
    private async Task<IReadOnlyDictionary<string, CopiedTable>> TablesAsync(CancellationToken ct)
    {
        var triggered = (await SchemaTable.ReadAsync(connection, schema, history, ct))
            .Where(table => table.HasTriggers).Select(table => table.Name).ToHashSet(StringComparer.Ordinal);
        await using var ask = new NpgsqlCommand(
            """
            WITH columns AS (
                SELECT c.relname::text AS table, a.attname::text AS column, n.nspname::text AS schema,
                    a.attgenerated <> '' AS generated,
                    a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AS needed
                FROM pg_catalog.pg_attribute AS a
                JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p') AND NOT c.relispartition
                JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                WHERE a.attnum > 0 AND NOT a.attisdropped AND n.nspname IN ($1, $2) AND c.relname <> $3
            )
            SELECT o.table, o.column, o.generated, o.needed, s.column IS NOT NULL,
                EXISTS (SELECT FROM columns AS x WHERE x.schema = $1 AND x.table = o.table)
            FROM columns AS o LEFT JOIN columns AS s ON s.schema = $1 AND s.table = o.table AND s.column = o.column
            WHERE o.schema = $2
            UNION ALL
            SELECT s.table, s.column, NULL, NULL, true, true FROM columns AS s
            WHERE s.schema = $1 AND EXISTS (SELECT FROM columns AS x WHERE x.schema = $2 AND x.table = s.table)
                AND NOT EXISTS (
                    SELECT FROM columns AS x WHERE x.schema = $2 AND x.table = s.table AND x.column = s.column)
            ORDER BY 1, 2
            """, connection)
        {
            Parameters = { LedgerTable.Text(source), LedgerTable.Text(schema.Value), LedgerTable.Text(history) },
        };
        var tables = new SortedDictionary<string, CopiedTable>(StringComparer.Ordinal);
        await using var rows = await ask.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            var (table, name, isThere) = (rows.GetString(0), rows.GetString(1), rows.GetBoolean(4));
            if (!rows.GetBoolean(5))
            {
                throw new AdoptionException($"There is no table {source}.{table}, which the tenants' migrations make.");
            }

            var known = tables.TryGetValue(table, out var found)
                ? found
                : tables[table] = new(table, [], HasColumn: false, triggered.Contains(table));
            if (await rows.IsDBNullAsync(2, ct))
            {
                // The tenant's column has done its work; another one's values would be lost.
                tables[table] = name == column ? known with { HasColumn = true } : throw new AdoptionException(
                    $"{source}.{table} has the column '{name}', and the tenants' migrations don't make it: its " +
                    "values " +
                    "would be lost. Add it to a migration, or drop it.");
            }
            else if (isThere && !rows.GetBoolean(2))
            {
                known.Columns.Add(name);
                tables[table] = known with { HasColumn = known.HasColumn || name == column };
            }
            else if (!isThere && rows.GetBoolean(3))
            {
                throw new AdoptionException(
                    $"The tenants' migrations make {table}.{name}, which must not be null and has no default, and " +
                    $"{source}.{table} has no such column.");
            }
        }

        return tables;
    }

    /// <summary>Sequences go on where the shared ones are, or behind the rows, whichever is further.</summary>
    private async Task MoveSequencesAsync(CancellationToken ct)
    {
        foreach (var sequence in await OwnedSequence.ReadAsync(connection, schema, source, ct))
        {
            if (sequence.IsInOther)
            {
                await ExecuteAsync(
                    SequenceSql.Continue(Own(sequence.Name), Quoted.Name(source, sequence.Name)), ct);
            }

            if (sequence.Table is not null)
            {
                await ExecuteAsync(sequence.PastRows(schema), ct);
            }
        }
    }

    private async Task<(long Count, decimal Sum)> SumAsync(string sql, string? value, CancellationToken ct)
    {
        await using var sum = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        if (value is not null)
        {
            sum.Parameters.Add(LedgerTable.Text(value));
        }

        await using var rows = await sum.ExecuteReaderAsync(ct);
        await rows.ReadAsync(ct);
        return (rows.GetInt64(0), rows.GetDecimal(1));
    }

    private async Task ExecuteAsync(string sql, CancellationToken ct, string? value = null)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        if (value is not null)
        {
            command.Parameters.Add(LedgerTable.Text(value));
        }

        await command.ExecuteNonQueryAsync(ct);
    }

    private string Own(string name) => schema.Qualify(name);

    /// <param name="Name">In both schemas.</param>
    /// <param name="Columns">That both have and that take values.</param>
    /// <param name="HasColumn">Whether the shared one says whose a row is.</param>
    /// <param name="HasTriggers">Whether the tenant's has triggers of its own.</param>
    private sealed record CopiedTable(string Name, List<string> Columns, bool HasColumn, bool HasTriggers);
}

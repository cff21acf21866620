namespace Tenancy.Migrations;

/// <summary>
/// Statements that move a sequence. <c>setval</c> takes the sequence's name as text, and no text is rewritten. So these
/// find it in the catalog, from a table or a sequence that they name as an identifier.
/// </summary>
internal static class SequenceSql
{
    /// <summary>
    /// After rows with keys of their own were inserted: moves the column's sequence past them. It never moves it back,
    /// and leaves it alone where it is past them already, as in a schema whose tenant has added rows.
    /// </summary>
    /// <param name="table">The table, as an identifier.</param>
    /// <param name="column">The column's name.</param>
    /// <param name="quoted">The same as an identifier.</param>
    /// <remarks>
    /// The table's row type leads to the table, and so to its sequence. (The rows' own <c>tableoid</c> doesn't on
    /// Citus, where it is that of a node's shard, which has no sequence.) No row, nothing to move past. The last value
    /// is null while the sequence gave nothing out, then only <c>nextval</c> tells where it starts. A descending
    /// sequence goes below its rows.
    /// </remarks>
    public static string PastRows(string table, string column, string quoted) =>
        $"""
        SELECT pg_catalog.setval(
            own.sequence,
            CASE WHEN kept.seqincrement > 0
                THEN greatest(own.most + 1, pg_catalog.nextval(own.sequence))
                ELSE least(own.least - 1, pg_catalog.nextval(own.sequence))
            END,
            false)
        FROM (
            SELECT pg_catalog.pg_get_serial_sequence(
                       r.typrelid::pg_catalog.regclass::text, '{column.Replace("'", "''", StringComparison.Ordinal)}')::pg_catalog.regclass AS sequence,
                   t.most, t.least
            FROM (SELECT max({quoted})::bigint AS most, min({quoted})::bigint AS least FROM {table}) AS t
            CROSS JOIN pg_catalog.pg_type AS r WHERE r.oid = pg_catalog.pg_typeof(NULL::{table}) AND t.most IS NOT NULL
        ) AS own
        JOIN pg_catalog.pg_sequence AS kept ON kept.seqrelid = own.sequence
        WHERE coalesce(
            CASE WHEN kept.seqincrement > 0
                THEN pg_catalog.pg_sequence_last_value(own.sequence) < own.most
                ELSE pg_catalog.pg_sequence_last_value(own.sequence) > own.least
            END,
            true);
        """;

    /// <summary>Lets one sequence go on where another one is.</summary>
    /// <param name="sequence">The one that is moved, as an identifier.</param>
    /// <param name="other">The other one.</param>
    public static string Continue(string sequence, string other) =>
        $"""
        SELECT pg_catalog.setval(own.tableoid::pg_catalog.regclass, other.last_value, other.is_called)
        FROM {sequence} AS own, {other} AS other;
        """;
}

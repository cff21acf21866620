using Npgsql;
using Tenancy.Ledgers;

namespace Tenancy.Citus;

/// <summary>Where Citus has a tenant's schema, and what of it can't be moved while it is served.</summary>
/// <param name="Node">The node.</param>
/// <param name="OnCoordinator">Whether that is the coordinator itself.</param>
/// <param name="Bytes">The size of its tables and indexes.</param>
/// <param name="Undistributed">Tables that are on the coordinator alone.</param>
/// <param name="WithoutKey">Tables whose rows nothing identifies.</param>
internal sealed record SchemaPlace(
    TenantNode Node, bool OnCoordinator, long Bytes, IReadOnlyList<string> Undistributed,
    IReadOnlyList<string> WithoutKey)
{
    /// <summary>
    /// Where writes go on, Citus makes a replication slot on the old node, and waits for that node's open transactions.
    /// The move's own is one on the coordinator: it would wait for itself. So there, writes wait for the move.
    /// </summary>
    public string TransferMode => OnCoordinator ? "block_writes" : "auto";

    /// <exception cref="TenantMoveException">Citus hasn't placed the schema.</exception>
    public static async Task<SchemaPlace> ReadAsync(NpgsqlConnection connection, Tenant tenant, CancellationToken ct)
    {
        await using var tables = new NpgsqlCommand(
            """
            SELECT c.relname::text, p.logicalrelid IS NULL,
                NOT (c.relreplident = 'f' OR c.relreplident = 'd' AND EXISTS (
                        SELECT FROM pg_catalog.pg_index AS i WHERE i.indrelid = c.oid AND i.indisprimary)
                    OR c.relreplident = 'i' AND EXISTS (
                        SELECT FROM pg_catalog.pg_index AS i WHERE i.indrelid = c.oid AND i.indisreplident))
            FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
            LEFT JOIN pg_catalog.pg_dist_partition AS p ON p.logicalrelid = c.oid
            WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') ORDER BY 1
            """, connection) { Parameters = { LedgerTable.Text(tenant.Schema.Value) } };
        var (undistributed, withoutKey) = (new List<string>(), new List<string>());
        await using (var rows = await tables.ExecuteReaderAsync(ct))
        {
            while (await rows.ReadAsync(ct))
            {
                if (rows.GetBoolean(1) || rows.GetBoolean(2))
                {
                    (rows.GetBoolean(1) ? undistributed : withoutKey).Add(rows.GetString(0));
                }
            }
        }

        await using var place = new NpgsqlCommand(
            """
            SELECT DISTINCT ON (n.groupid) n.nodename, n.nodeport, n.groupid = 0,
                (SELECT sum(citus_total_relation_size(t.logicalrelid, fail_on_error := false))::bigint
                 FROM pg_catalog.pg_dist_partition AS t WHERE t.colocationid = s.colocationid)
            FROM pg_catalog.pg_dist_schema AS s
            JOIN pg_catalog.pg_dist_partition AS p USING (colocationid)
            JOIN pg_catalog.pg_dist_shard AS h USING (logicalrelid)
            JOIN pg_catalog.pg_dist_placement AS l USING (shardid)
            JOIN pg_catalog.pg_dist_node AS n ON n.groupid = l.groupid AND n.noderole = 'primary'
            WHERE s.schemaid = $1::text::regnamespace
            """, connection) { Parameters = { LedgerTable.Text(tenant.Schema.Value) } };
        await using var row = await place.ExecuteReaderAsync(ct);
        return await row.ReadAsync(ct)
            ? new(new(row.GetString(0), row.GetInt32(1)), row.GetBoolean(2), row.GetInt64(3), undistributed, withoutKey)
            : throw new TenantMoveException(
                $"The schema of '{tenant.Slug}' isn't distributed: it was made where Citus wasn't. Its tables are on " +
                "the coordinator, and there is nothing that could be moved.");
    }

    /// <exception cref="TenantMoveException">It has something.</exception>
    public void RefuseWhatCantMove(string slug)
    {
        if (Undistributed.Count > 0)
        {
            throw new TenantMoveException(
                $"Of '{slug}', {string.Join(", ", Undistributed)} isn't distributed: it is on the coordinator alone, " +
                "and would stay there. A DO block made it; check --engine citus names the migration.");
        }

        if (WithoutKey.Count > 0)
        {
            throw new TenantMoveException(
                $"Of '{slug}', {string.Join(", ", WithoutKey)} has neither a primary key nor another replica " +
                "identity, so Citus can't follow its changes during the move. Add a primary key in a migration, or " +
                "ALTER TABLE ... REPLICA IDENTITY FULL.");
        }
    }
}

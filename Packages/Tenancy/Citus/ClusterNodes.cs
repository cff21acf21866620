using Npgsql;

namespace Tenancy.Citus;

/// <summary>The nodes of a Citus cluster.</summary>
internal static class ClusterNodes
{
    /// <exception cref="TenantMoveException">It isn't one.</exception>
    public static async Task RefuseWithoutClusterAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        if (!await CitusEngine.IsPresentAsync(connection, ct))
        {
            throw new TenantMoveException(
                $"The database '{connection.Database}' isn't on a Citus cluster (it lacks the extension citus), so " +
                "there is no node to move to. Export and import bring a tenant to another database.");
        }
    }

    /// <summary>The node of that name, as it is registered.</summary>
    /// <exception cref="TenantMoveException">There is none, or it takes no tenants.</exception>
    public static async Task<TenantNode> FindAsync(NpgsqlConnection connection, TenantNode wanted, CancellationToken ct)
    {
        await using var ask = new NpgsqlCommand(
            """
            SELECT nodename, nodeport, isactive, shouldhaveshards FROM pg_catalog.pg_dist_node
            WHERE noderole = 'primary' ORDER BY groupid
            """, connection);
        var nodes = new List<(TenantNode Node, bool IsActive, bool TakesTenants)>();
        await using var rows = await ask.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            nodes.Add((new(rows.GetString(0), rows.GetInt32(1)), rows.GetBoolean(2), rows.GetBoolean(3)));
        }

        var fit = nodes.Where(node => node.IsActive && node.TakesTenants).Select(node => node.Node);
        return nodes.Find(node => node.Node.Is(wanted)) switch
        {
            { Node: null } => throw new TenantMoveException(
                $"The cluster has no node '{wanted}'. Those that take tenants: " +
                $"{string.Join(", ", fit)}."),
            { IsActive: false } => throw new TenantMoveException(
                $"The node '{wanted}' isn't active: SELECT citus_activate_node('{wanted.Host}', {wanted.Port});"),
            { TakesTenants: false } => throw new TenantMoveException(
                $"The node '{wanted}' takes no tenants, as a coordinator by default: SELECT " +
                $"citus_set_node_property('{wanted.Host}', {wanted.Port}, 'shouldhaveshards', true);"),
            var found => found.Node,
        };
    }
}

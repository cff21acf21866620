namespace Tenancy;

/// <summary>A schema whose tables weren't all on its node of a Citus cluster, and what became of it.</summary>
/// <param name="Schema">Which.</param>
/// <param name="Tables">The tables that were on the coordinator alone; empty where it was the whole schema.</param>
/// <param name="Problem">Why they couldn't be brought to the node, and what to do; null where they were.</param>
public sealed record PlacementMend(SchemaName Schema, IReadOnlyList<string> Tables, string? Problem)
{
    /// <summary>A sentence for people.</summary>
    public override string ToString()
    {
        var what = Tables.Count == 0 ? $"The schema {Schema}" : $"{Schema}: {string.Join(", ", Tables)}";
        return Problem is null
            ? $"{what} moved from the coordinator to a node."
            : $"{what} can't move from the coordinator to a node: {Problem}.";
    }
}

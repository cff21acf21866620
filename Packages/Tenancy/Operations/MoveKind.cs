using System.Text.Json.Nodes;

namespace Tenancy.Operations;

/// <summary>
/// Moves a tenant to another database, or to another node of a Citus cluster. An attempt after a crash ends what an
/// earlier one has begun.
/// </summary>
internal sealed class MoveKind(TenantDatabaseMove databases, TenantMove nodes) : OperationKind(OperationKinds.Move)
{
    public override Task<JsonObject?> RunAsync(OperationContext context, CancellationToken ct) =>
        ((string?)context.Arguments["database"], (string?)context.Arguments["node"]) switch
        {
            (not null, null) => ToDatabaseAsync(context, ct),
            (null, { } node) => ToNodeAsync(context, TenantNode.Parse(node), ct),
            _ => throw new FormatException("Say where the tenant moves to: name a database or a node."),
        };

    private async Task<JsonObject?> ToDatabaseAsync(OperationContext context, CancellationToken ct)
    {
        var slug = context.Operation.Slug!;
        var move = await databases.MoveAsync(slug, Landed.Database(context), ct)
            ?? throw new TenantUnavailableException(slug, null);
        if (move.MigrationError is { } error)
        {
            context.Fail($"The tenant has moved and isn't served, because its migration failed: {error}");
        }

        return new()
        {
            ["id"] = move.Tenant.Id.ToString(), ["slug"] = move.Tenant.Slug, ["schema"] = move.Tenant.Schema.Value,
            ["from"] = Place(move.From ?? move.Tenant), ["to"] = Place(move.Tenant), ["moved"] = move.From is not null,
            ["rows"] = Landed.Counted(move.Rows),
        };
    }

    private async Task<JsonObject?> ToNodeAsync(OperationContext context, TenantNode node, CancellationToken ct)
    {
        var slug = context.Operation.Slug!;
        var move = await nodes.MoveAsync(slug, node, progress: new Progress(context), ct: ct)
            ?? throw new TenantUnavailableException(slug, null);
        return new()
        {
            ["id"] = move.Tenant.Id.ToString(), ["slug"] = move.Tenant.Slug, ["schema"] = move.Tenant.Schema.Value,
            ["from"] = move.From.ToString(), ["to"] = move.To.ToString(), ["moved"] = move.Moved,
            ["bytes"] = move.Bytes,
        };
    }

    private static string Place(Tenant tenant) => tenant.Database ?? TenancyOptions.FirstDatabase;

    /// <summary>Told at once: <see cref="Progress{T}"/> tells later, on another thread.</summary>
    private sealed class Progress(OperationContext context) : IProgress<TenantMoveProgress>
    {
        public void Report(TenantMoveProgress value) => context.Report(value.Copied, value.Total);
    }
}

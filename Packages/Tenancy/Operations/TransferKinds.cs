using System.Text.Json.Nodes;

namespace Tenancy.Operations;

internal sealed class ExportKind(TenantTransfer transfer) : OperationKind(OperationKinds.Export)
{
    public override async Task<JsonObject?> RunAsync(OperationContext context, CancellationToken ct)
    {
        IReadOnlyDictionary<string, long> rows = new Dictionary<string, long>();
        await context.WriteFileAsync(
            async file => rows = await transfer.ExportAsync(context.Operation.Slug!, file, ct), ct);
        return new() { ["rows"] = Landed.Counted(rows) };
    }
}

internal sealed class ImportKind(TenantTransfer transfer) : OperationKind(OperationKinds.Import)
{
    public override async Task<JsonObject?> RunAsync(OperationContext context, CancellationToken ct)
    {
        await context.ExpectFileAsync(ct);
        return Landed.Describe(context, await transfer.ImportInAsync(Landed.Database(context),
            context.OpenFile(), context.Operation.Slug!, (string?)context.Arguments["name"], context.Operation.Id, ct));
    }
}

internal sealed class CloneKind(TenantTransfer transfer) : OperationKind(OperationKinds.Clone)
{
    public override async Task<JsonObject?> RunAsync(OperationContext context, CancellationToken ct) =>
        Landed.Describe(context, await (context.Arguments["database"] is null
            ? transfer.CloneAsync(context.Operation.Slug!, (string)context.Arguments["newSlug"]!,
                (string?)context.Arguments["name"], context.Operation.Id, ct)
            : transfer.CloneInAsync(Landed.Database(context), context.Operation.Slug!,
                (string)context.Arguments["newSlug"]!, (string?)context.Arguments["name"], context.Operation.Id, ct)));
}

/// <summary>
/// The result of an operation that makes a tenant. The tenant's id is the operation's, so an attempt after a crash
/// knows the tenant that an earlier one has made.
/// </summary>
internal static class Landed
{
    /// <summary>The database that the tenant is made in; null for the first one.</summary>
    public static string? Database(OperationContext context) =>
        (string?)context.Arguments["database"] is { } name and not TenancyOptions.FirstDatabase ? name : null;

    public static JsonObject Describe(OperationContext context, TransferredTenant made)
    {
        if (made.MigrationError is { } error)
        {
            context.Fail($"The tenant is there and isn't served, because its migration failed: {error}");
        }

        return new()
        {
            ["id"] = made.Tenant.Id.ToString(), ["slug"] = made.Tenant.Slug, ["schema"] = made.Tenant.Schema.Value,
            ["rows"] = Counted(made.Rows),
        };
    }

    public static JsonObject Counted(IReadOnlyDictionary<string, long> rows) =>
        new(rows.Select(table => KeyValuePair.Create(table.Key, (JsonNode?)table.Value)));
}

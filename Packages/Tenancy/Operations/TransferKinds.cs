using System.Text.Json.Nodes;
using Npgsql;

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
        return await Landed.OnceAsync(context, transfer, landed => transfer.ImportAsync(
            context.OpenFile(), context.Operation.Slug!, (string?)context.Arguments["name"], null, landed, ct), ct);
    }
}

internal sealed class CloneKind(TenantTransfer transfer) : OperationKind(OperationKinds.Clone)
{
    public override Task<JsonObject?> RunAsync(OperationContext context, CancellationToken ct) =>
        Landed.OnceAsync(context, transfer, landed => transfer.CloneAsync(context.Operation.Slug!,
            (string)context.Arguments["newSlug"]!, (string?)context.Arguments["name"], landed, ct), ct);
}

/// <summary>A tenant that an operation makes: once, although its process may die at any time.</summary>
internal static class Landed
{
    /// <summary>
    /// The transaction that makes the tenant also writes the operation's result. An attempt that finds a result only
    /// brings the tenant to this build's version.
    /// </summary>
    public static async Task<JsonObject?> OnceAsync(
        OperationContext context, TenantTransfer transfer,
        Func<Func<NpgsqlTransaction, TransferredTenant, Task>, Task<TransferredTenant>> make, CancellationToken ct)
    {
        if (context.Operation.Result is not { } result)
        {
            var made = await make((transaction, landed) => context.KeepAsync(transaction, Describe(landed), ct));
            Say(context, made.MigrationError);
            return Describe(made);
        }

        var tenant = new Tenant(Guid.Parse((string)result["id"]!), (string)result["slug"]!,
            SchemaName.Parse((string)result["schema"]!));
        Say(context, await transfer.FinishAsync(tenant, ct));
        return result;
    }

    private static void Say(OperationContext context, string? migrationError)
    {
        if (migrationError is not null)
        {
            context.Fail($"The tenant is there and isn't served, because its migration failed: {migrationError}");
        }
    }

    public static JsonObject Counted(IReadOnlyDictionary<string, long> rows) =>
        new(rows.Select(table => KeyValuePair.Create(table.Key, (JsonNode?)table.Value)));

    private static JsonObject Describe(TransferredTenant made) => new()
    {
        ["id"] = made.Tenant.Id.ToString(), ["slug"] = made.Tenant.Slug, ["schema"] = made.Tenant.Schema.Value,
        ["rows"] = Counted(made.Rows),
    };
}

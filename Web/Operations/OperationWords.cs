using System.Globalization;
using System.Text.Json.Nodes;
using Web.Fleet;
using Web.Shell;

namespace Web.Operations;

/// <summary>Operations in words. A kind or a state that this page doesn't know yet is shown as it is.</summary>
internal static class OperationWords
{
    public static string Kind(string kind) => kind switch
    {
        "export" => "Export",
        "import" => "Import",
        "clone" => "Clone",
        "move" => "Move",
        "migrate" => "Migration",
        "retry" => "Retry of failed migrations",
        "down" => "Migrations taken back",
        "verify" => "Comparison",
        "reconcile" => "Removal of deleted customers",
        "task" => "Task",
        _ => kind,
    };

    public static string State(Operation operation) => operation.State switch
    {
        "queued" => "Waiting",
        "running" => operation.CancelledBy is null ? "Running" : "Ending",
        "done" => "Done",
        "failed" => "Failed",
        "cancelled" => "Cancelled",
        var other => other,
    };

    /// <summary>How far it is; empty where there is nothing to say.</summary>
    public static string Progress(Operation operation) => operation switch
    {
        { IsOver: true } or { Done: 0, Total: null } => "",
        { Total: { } total } => $"{Amount(operation, operation.Done)} of {Amount(operation, total)}",
        _ => Amount(operation, operation.Done),
    };

    /// <summary>How far it is, 0 to 100; null where nobody knows.</summary>
    public static double? Percent(Operation operation) =>
        operation.Total is > 0 and var total ? Math.Clamp(operation.Done * 100.0 / total, 0, 100) : null;

    /// <summary>How long it took, or has taken until now.</summary>
    public static string Took(Operation operation, DateTimeOffset now) => operation.StartedAt is { } began
        ? Words.Duration((operation.EndedAt ?? now) - began)
        : "";

    /// <summary>What came of it, in a sentence; empty for nothing to say.</summary>
    public static string Result(Operation operation) => operation switch
    {
        { Result: null } => "",
        { Kind: "export" } => $"{Rows(operation.Result)} in the file.",
        { Kind: "import" or "clone" } when Text(operation.Result, "slug") is { } slug =>
            operation.Result["rows"] is JsonObject { Count: > 0 }
                ? $"{slug} created, with {Rows(operation.Result)}."
                : $"{slug} created.",
        { Kind: "move" } when Text(operation.Result, "slug") is { } slug => Moved(slug, operation.Result),
        { Kind: "migrate" or "retry" or "down" or "task" } =>
            $"{Customers(Number(operation.Result["migrated"]))} done, " +
            $"{(operation.Result["failed"] as JsonArray)?.Count ?? 0:N0} failed.",
        { Kind: "verify" } =>
            $"{Customers(Number(operation.Result["checked"]))} compared, " +
            $"{(operation.Result["drifted"] as JsonArray)?.Count ?? 0:N0} differ.",
        { Kind: "reconcile" } => $"{Customers((operation.Result["removed"] as JsonArray)?.Count ?? 0)} removed, " +
            $"{(operation.Result["failed"] as JsonArray)?.Count ?? 0:N0} failed.",
        _ => "",
    };

    /// <summary>A move to a node has a size instead of rows.</summary>
    private static string Moved(string slug, JsonObject result)
    {
        var to = Text(result, "to") ?? "";
        var (place, amount) = result["rows"] is null
            ? (to, Words.Size(Number(result["bytes"])))
            : (FleetDatabase.Named(to), Rows(result));
        // An earlier attempt may have moved it.
        return result["moved"] is JsonValue moved && moved.TryGetValue<bool>(out var isMoved) && isMoved
            ? $"{slug} moved to {place}, with {amount}."
            : $"{slug} is in {place}.";
    }

    private static string Amount(Operation operation, long amount) =>
        operation.Kind is "export" or "import" or "clone" or "move"
            ? Words.Size(amount)
            : amount.ToString("N0", CultureInfo.CurrentCulture);

    private static string Rows(JsonObject result) =>
        Words.Count((int)Math.Min(int.MaxValue, (result["rows"] as JsonObject)?.Sum(table => Number(table.Value)) ?? 0),
            "row");

    private static string Customers(long number) => Words.Count((int)Math.Min(int.MaxValue, number), "customer");

    private static string? Text(JsonObject result, string name) =>
        result[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static long Number(JsonNode? node) =>
        node is JsonValue value && value.TryGetValue<long>(out var number) ? number : 0;
}

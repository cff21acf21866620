using System.Text.Json;
using System.Text.Json.Nodes;

namespace Web.Fleet;

/// <summary>What a comparison of the schemas with the migrations has found.</summary>
/// <param name="IsClean">Whether nothing differs, is superfluous or is missing.</param>
/// <param name="Checked">How many schemas were compared.</param>
/// <param name="Drifted">Schemas that aren't as the migrations make them.</param>
/// <param name="Incomparable">Schemas that couldn't be compared.</param>
/// <param name="Strays">Schemas that look like a customer's, and that nobody has written down.</param>
/// <param name="Missing">Schemas that a customer should have, and that don't exist.</param>
/// <param name="Unregistered">Schemas that belong to no customer.</param>
public sealed record DriftReport(
    bool IsClean, int Checked, IReadOnlyList<DriftedSchema> Drifted, IReadOnlyList<IncomparableSchema> Incomparable,
    IReadOnlyList<string> Strays, IReadOnlyList<string> Missing, IReadOnlyList<string> Unregistered)
{
    /// <summary>Reads an operation's result; null where it isn't a comparison's.</summary>
    public static DriftReport? Of(JsonObject? result)
    {
        try
        {
            return result?.Deserialize<DriftReport>(JsonSerializerOptions.Web) is { Drifted: not null } report
                ? report with
                {
                    Incomparable = report.Incomparable ?? [], Strays = report.Strays ?? [],
                    Missing = report.Missing ?? [], Unregistered = report.Unregistered ?? [],
                }
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <param name="Schema">Which.</param>
/// <param name="Slug">Its customer's; null where it has none.</param>
/// <param name="Differences">One sentence each.</param>
public sealed record DriftedSchema(string Schema, string? Slug, IReadOnlyList<string> Differences);

/// <param name="Schema">Which.</param>
/// <param name="Slug">Its customer's; null where it has none.</param>
/// <param name="Reason">Why.</param>
public sealed record IncomparableSchema(string Schema, string? Slug, string Reason);

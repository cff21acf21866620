using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tenancy.Transfer;

/// <summary>What an export's file says about itself: the entry <c>manifest.json</c>, written last.</summary>
/// <param name="Format">Always <see cref="TheFormat"/>.</param>
/// <param name="FormatVersion">Of the file's format: <see cref="Newest"/>.</param>
/// <param name="Slug">The tenant's.</param>
/// <param name="ExportedAt">When the snapshot was taken.</param>
/// <param name="Migrations">The ids that the schema had.</param>
/// <param name="Tables">Its tables.</param>
/// <param name="Sequences">Where its sequences stood.</param>
internal sealed record ExportManifest(
    [property: JsonRequired] string Format, [property: JsonRequired] int FormatVersion, string Slug,
    DateTimeOffset ExportedAt, [property: JsonRequired] IReadOnlyList<string> Migrations,
    [property: JsonRequired] IReadOnlyList<ExportedTable> Tables,
    [property: JsonRequired] IReadOnlyList<ExportedSequence> Sequences)
{
    public const string Entry = "manifest.json";

    public const string TheFormat = "tenancy-export";

    public const int Newest = 1;
}

/// <summary>A table's rows.</summary>
/// <param name="Name">The table's.</param>
/// <param name="Columns">In the order of the data.</param>
/// <param name="Data">The entry that has the rows, as PostgreSQL's COPY writes them as text, in UTF-8.</param>
/// <param name="Rows">How many.</param>
/// <param name="Bytes">Of the data, not compressed.</param>
/// <param name="Sha256">Of the data, in hexadecimal digits.</param>
internal sealed record ExportedTable(
    [property: JsonRequired] string Name, [property: JsonRequired] IReadOnlyList<string> Columns,
    [property: JsonRequired] string Data, [property: JsonRequired] long Rows, [property: JsonRequired] long Bytes,
    [property: JsonRequired] string Sha256);

/// <summary>A sequence: the last value, and whether it was given out.</summary>
internal sealed record ExportedSequence(
    [property: JsonRequired] string Name, [property: JsonRequired] long LastValue,
    [property: JsonRequired] bool IsCalled);

[JsonSerializable(typeof(ExportManifest))]
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, RespectNullableAnnotations = true)]
internal sealed partial class ExportJson : JsonSerializerContext;

using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using Npgsql;
using Tenancy.Adoption;

namespace Tenancy.Transfer;

/// <summary>Writes a tenant's rows into a file: a ZIP archive with an entry for each table, and the manifest.</summary>
internal static class ExportFile
{
    /// <param name="source">The tenant.</param>
    /// <param name="history">EF's history table.</param>
    /// <param name="file">Written from where it stands; it needn't seek.</param>
    /// <param name="now">The time that the manifest gets.</param>
    /// <param name="ct">Ends it; the file is then incomplete, without a manifest.</param>
    /// <returns>How many rows of each table.</returns>
    public static async Task<IReadOnlyDictionary<string, long>> WriteAsync(
        SourceTenant source, string history, Stream file, DateTimeOffset now, CancellationToken ct)
    {
        await using (var settings = new NpgsqlCommand(CopySettings.SetLocal, source.Connection))
        {
            await settings.ExecuteNonQueryAsync(ct);
        }

        // The lock is taken: from here on, any time will do.
        await RunLimits.SetLocalAsync(source.Connection, TimeSpan.Zero, ct);
        var output = new AsyncOnly(file);
        var tables = new List<ExportedTable>();
        await using (var archive = await ZipArchive.CreateAsync(
            output, ZipArchiveMode.Create, leaveOpen: true, entryNameEncoding: null, ct))
        {
            await WriteAsync(source, history, archive, tables, now, ct);
        }

        await output.FlushAsync(ct);
        return tables.ToDictionary(table => table.Name, table => table.Rows, StringComparer.Ordinal);
    }

    private static async Task WriteAsync(SourceTenant source, string history, ZipArchive archive,
        List<ExportedTable> tables, DateTimeOffset now, CancellationToken ct)
    {
        foreach (var table in await SchemaTable.ReadAsync(source.Connection, source.Schema, history, ct))
        {
            tables.Add(await WriteAsync(source, table,
                string.Create(CultureInfo.InvariantCulture, $"data/{tables.Count + 1}.copy"), archive, ct));
        }

        var manifest = new ExportManifest(ExportManifest.TheFormat, ExportManifest.Newest, source.Entry.Tenant.Slug,
            now, [.. source.Migrations.Order(StringComparer.Ordinal)], tables, await SequencesAsync(source, ct));
        await using var entry = await archive.CreateEntry(ExportManifest.Entry, CompressionLevel.Fastest).OpenAsync(ct);
        await JsonSerializer.SerializeAsync(entry, manifest, ExportJson.Default.ExportManifest, ct);
    }

    private static async Task<ExportedTable> WriteAsync(
        SourceTenant source, SchemaTable table, string name, ZipArchive archive, CancellationToken ct)
    {
        var columns = string.Join(", ", table.Columns.Select(Quoted.Name));
        var own = source.Schema.Qualify(table.Name);
        // COPY doesn't read a partitioned table, and reads a parent without its children.
        var rows = table.IsPartitioned ? $"(SELECT {columns} FROM {own})" : $"{own} ({columns})";
        using var passed = new RowStream();
        await using var entry = await archive.CreateEntry(name, CompressionLevel.Fastest).OpenAsync(ct);
        using var copy = (StreamReader)await source.Connection.BeginTextExportAsync($"COPY {rows} TO STDOUT", ct);
        await passed.PassAsync(copy.BaseStream, entry, check: null, ct);
        return new(table.Name, table.Columns, name, passed.Rows, passed.Bytes, passed.Sha256);
    }

    private static async Task<IReadOnlyList<ExportedSequence>> SequencesAsync(
        SourceTenant source, CancellationToken ct)
    {
        var sequences = new List<ExportedSequence>();
        foreach (var sequence in await OwnedSequence.ReadAsync(source.Connection, source.Schema, "", ct))
        {
            await using var ask = new NpgsqlCommand(
                $"SELECT last_value, is_called FROM {source.Schema.Qualify(sequence.Name)}", source.Connection);
            await using var row = await ask.ExecuteReaderAsync(ct);
            await row.ReadAsync(ct);
            sequences.Add(new(sequence.Name, row.GetInt64(0), row.GetBoolean(1)));
        }

        return sequences;
    }
}

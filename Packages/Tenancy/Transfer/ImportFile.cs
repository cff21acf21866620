using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using Npgsql;
using Tenancy.Adoption;

namespace Tenancy.Transfer;

/// <summary>
/// Reads an export's file. Nothing in it is trusted: it names tables and columns, and SQL gets the names that this
/// build's migrations made.
/// </summary>
internal sealed class ImportFile : IAsyncDisposable
{
    private const long MostManifest = 16 << 20;
    private const long SmallExpansion = 100L << 20;

    private readonly ZipArchive _archive;
    private readonly Dictionary<string, ZipArchiveEntry> _entries;
    private readonly TenantImportLimits _limits;
    private readonly long _length;
    private long _rows;
    private long _bytes;

    private ImportFile(ZipArchive archive, Dictionary<string, ZipArchiveEntry> entries, ExportManifest manifest,
        TenantImportLimits limits, long length) =>
        (_archive, _entries, Manifest, _limits, _length) = (archive, entries, manifest, limits, length);

    public ExportManifest Manifest { get; }

    /// <param name="file">Seekable; stays open.</param>
    /// <param name="limits">See there.</param>
    /// <param name="ct">Ends it.</param>
    /// <exception cref="TenantTransferException">It isn't an export of a known format, or it is too large.</exception>
    public static async Task<ImportFile> OpenAsync(Stream file, TenantImportLimits limits, CancellationToken ct)
    {
        if (file.Length > limits.FileBytes)
        {
            throw TooLarge("file", file.Length, limits.FileBytes, "bytes");
        }

        ZipArchive archive;
        try
        {
            archive = await ZipArchive.CreateAsync(
                file, ZipArchiveMode.Read, leaveOpen: true, entryNameEncoding: null, ct);
        }
        catch (InvalidDataException e)
        {
            throw NoExport(e);
        }

        try
        {
            var entries = new Dictionary<string, ZipArchiveEntry>(StringComparer.Ordinal);
            foreach (var entry in archive.Entries)
            {
                if (!entries.TryAdd(entry.FullName, entry))
                {
                    throw new TenantTransferException($"The file has two entries '{Shown(entry.FullName)}'.");
                }
            }

            var manifest = await ManifestAsync(entries, ct);
            Check(manifest, limits);
            return new(archive, entries, manifest, limits, file.Length);
        }
        catch (InvalidDataException e)
        {
            await archive.DisposeAsync();
            throw NoExport(e);
        }
        catch
        {
            await archive.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => _archive.DisposeAsync();

    /// <summary>Writes all rows into the new schema.</summary>
    /// <returns>How many rows of each table.</returns>
    /// <exception cref="TenantTransferException">The file doesn't fit the schema, or isn't what its manifest
    /// says.</exception>
    public async Task<IReadOnlyDictionary<string, long>> WriteAsync(Landing landing, CancellationToken ct)
    {
        RequireSame("tables", landing.Tables.Select(table => table.Name), Manifest.Tables.Select(table => table.Name));
        RequireSame("sequences", landing.Sequences.Select(sequence => sequence.Name),
            Manifest.Sequences.Select(sequence => sequence.Name));
        await landing.ExecuteAsync(CopySettings.SetLocal, ct);
        foreach (var table in landing.Tables)
        {
            await WriteAsync(landing, table, Manifest.Tables.Single(exported => exported.Name == table.Name), ct);
        }

        foreach (var sequence in landing.Sequences)
        {
            await MoveAsync(landing, sequence.Name,
                Manifest.Sequences.Single(exported => exported.Name == sequence.Name), ct);
        }

        return Manifest.Tables.ToDictionary(table => table.Name, table => table.Rows, StringComparer.Ordinal);
    }

    private async Task WriteAsync(Landing landing, SchemaTable table, ExportedTable exported, CancellationToken ct)
    {
        RequireSame($"columns of the table '{table.Name}'", table.Columns, exported.Columns);
        if (!_entries.TryGetValue(exported.Data, out var entry))
        {
            throw new TenantTransferException($"The file lacks the rows of the table '{table.Name}'.");
        }

        // The file's order, this build's names.
        var columns = string.Join(", ", exported.Columns.Select(name =>
            Quoted.Name(table.Columns.Single(column => column == name))));
        using var passed = new RowStream();
        try
        {
            await CopyAsync(landing.Connection, $"COPY {landing.Schema.Qualify(table.Name)} ({columns}) FROM STDIN",
                entry, passed, ct);
        }
        // Citus passes on a node's words and not its code.
        catch (PostgresException e) when (e.SqlState[..2] is "22" or "23"
            || (landing.IsOnCitus && e.SqlState == PostgresErrorCodes.InternalError))
        {
            throw new TenantTransferException(
                $"The rows of the table '{table.Name}' can't be stored: {e.MessageText}", e);
        }
        catch (InvalidDataException e)
        {
            throw NoExport(e);
        }

        (_rows, _bytes) = (_rows + passed.Rows, _bytes + passed.Bytes);
        // A line with a backslash and a full stop ends a COPY before its data ends.
        await using var count = new NpgsqlCommand(
            $"SELECT count(*) FROM {landing.Schema.Qualify(table.Name)}", landing.Connection) { CommandTimeout = 0 };
        if (passed.Rows != exported.Rows || passed.Bytes != exported.Bytes || passed.Sha256 != exported.Sha256
            || (long)(await count.ExecuteScalarAsync(ct))! != exported.Rows)
        {
            throw new TenantTransferException(
                $"The rows of the table '{table.Name}' aren't those that were exported: the file is damaged, or " +
                "somebody changed it.");
        }
    }

    private async Task CopyAsync(
        NpgsqlConnection connection, string sql, ZipArchiveEntry entry, RowStream passed, CancellationToken ct)
    {
        await using var data = await entry.OpenAsync(ct);
        var copy = await connection.BeginTextImportAsync(sql, ct);
        try
        {
            var stream = ((StreamWriter)(TextWriter)copy).BaseStream;
            await passed.PassAsync(data, stream, () => CheckSizes(passed), ct);
        }
        catch
        {
            await copy.CancelAsync();
            throw;
        }

        await copy.DisposeAsync();
    }

    private void CheckSizes(RowStream passed)
    {
        var (rows, bytes) = (_rows + passed.Rows, _bytes + passed.Bytes);
        Check(rows, bytes, _limits);
        if (bytes > SmallExpansion && bytes / _limits.Expansion > _length)
        {
            throw new TenantTransferException(string.Create(CultureInfo.InvariantCulture,
                $"The file's data is more than {_limits.Expansion} times longer than the file: it isn't an export's."));
        }
    }

    private static async Task MoveAsync(
        Landing landing, string name, ExportedSequence exported, CancellationToken ct)
    {
        await using var move = new NpgsqlCommand(
            $"SELECT setval(s.tableoid::regclass, $1, $2) FROM {landing.Schema.Qualify(name)} AS s",
            landing.Connection)
        {
            Parameters =
            {
                new NpgsqlParameter<long> { TypedValue = exported.LastValue },
                new NpgsqlParameter<bool> { TypedValue = exported.IsCalled },
            },
        };
        try
        {
            await move.ExecuteNonQueryAsync(ct);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.NumericValueOutOfRange)
        {
            throw new TenantTransferException($"The sequence '{name}' can't stand there: {e.MessageText}", e);
        }
    }

    private static async Task<ExportManifest> ManifestAsync(
        Dictionary<string, ZipArchiveEntry> entries, CancellationToken ct)
    {
        if (!entries.TryGetValue(ExportManifest.Entry, out var entry))
        {
            throw new TenantTransferException(
                $"The file has no {ExportManifest.Entry}: it isn't a tenant's export, or the export was interrupted.");
        }

        if (entry.Length > MostManifest)
        {
            throw TooLarge(ExportManifest.Entry, entry.Length, MostManifest, "bytes");
        }

        await using var opened = await entry.OpenAsync(ct);
        using var text = new MemoryStream();
        using (var passed = new RowStream())
        {
            await passed.PassAsync(opened, text, () =>
            {
                if (passed.Bytes > MostManifest)
                {
                    throw TooLarge(ExportManifest.Entry, passed.Bytes, MostManifest, "bytes");
                }
            }, ct);
        }

        try
        {
            text.Position = 0;
            RequireKnown(await JsonDocument.ParseAsync(text, cancellationToken: ct));
            text.Position = 0;
            return await JsonSerializer.DeserializeAsync(text, ExportJson.Default.ExportManifest, ct)
                ?? throw NoExport(null);
        }
        catch (JsonException e)
        {
            throw NoExport(e);
        }
    }

    /// <summary>Before the rest is read: another version may have members that this build doesn't know.</summary>
    private static void RequireKnown(JsonDocument manifest)
    {
        using (manifest)
        {
            if (manifest.RootElement.ValueKind != JsonValueKind.Object
                || !manifest.RootElement.TryGetProperty("format", out var format)
                || format.ValueKind != JsonValueKind.String || format.GetString() != ExportManifest.TheFormat
                || !manifest.RootElement.TryGetProperty("formatVersion", out var version)
                || !version.TryGetInt32(out var number))
            {
                throw NoExport(null);
            }

            if (number != ExportManifest.Newest)
            {
                throw new TenantTransferException(string.Create(CultureInfo.InvariantCulture,
                    $"The file has format version {number}; this build reads version {ExportManifest.Newest}. ")
                    + "Use a newer build.");
            }
        }
    }

    private static void Check(ExportManifest manifest, TenantImportLimits limits)
    {
        if (manifest.Tables.Any(table =>
                table is null || table.Rows < 0 || table.Bytes < 0 || table.Columns.Contains(null!))
            || manifest.Sequences.Contains(null!) || manifest.Migrations.Contains(null!))
        {
            throw NoExport(null);
        }

        var (rows, bytes) = (0L, 0L);
        foreach (var table in manifest.Tables)
        {
            // Checked one by one, so that no sum overflows.
            Check(table.Rows, table.Bytes, limits);
            (rows, bytes) = (rows + table.Rows, bytes + table.Bytes);
            Check(rows, bytes, limits);
        }
    }

    private static void Check(long rows, long bytes, TenantImportLimits limits)
    {
        if (rows > limits.Rows)
        {
            throw TooLarge("data", rows, limits.Rows, "rows");
        }

        if (bytes > limits.Bytes)
        {
            throw TooLarge("data", bytes, limits.Bytes, "bytes");
        }
    }

    private static void RequireSame(string what, IEnumerable<string> wanted, IEnumerable<string> given)
    {
        var (own, others) = (wanted.ToHashSet(StringComparer.Ordinal), given.ToList());
        if (others.Count != others.Distinct(StringComparer.Ordinal).Count() || !own.SetEquals(others))
        {
            var differences = own.Except(others).Select(name => $"without '{name}'")
                .Concat(others.Except(own).Select(name => $"with '{Shown(name)}'"))
                .DefaultIfEmpty("with one of them twice");
            throw new TenantTransferException(
                $"The file's {what} aren't those that this build makes at that version: it comes " +
                $"{string.Join(", ", differences.Take(5))}. Was it made by another application?");
        }
    }

    /// <summary>A name of the file's, for a message: short, on one line.</summary>
    private static string Shown(string name) =>
        new([.. name.Take(80).Select(letter => char.IsControl(letter) ? '?' : letter)]);

    private static TenantTransferException NoExport(Exception? inner) => inner is null
        ? new("The file isn't a tenant's export.")
        : new($"The file isn't a tenant's export, or it is damaged: {inner.Message}", inner);

    private static TenantTransferException TooLarge(string what, long has, long limit, string unit) =>
        new(string.Create(CultureInfo.InvariantCulture,
            $"The {what} has {has} {unit}, and {limit} are allowed (TenantImportLimits)."));
}

using Npgsql;

namespace Tenancy;

/// <summary>Answers of one column of names.</summary>
internal static class NameRows
{
    /// <summary>In the order of the answer.</summary>
    /// <exception cref="PostgresException">The statement failed.</exception>
    public static async Task<List<string>> NamesAsync(this NpgsqlCommand ask, CancellationToken ct)
    {
        await using var rows = await ask.ExecuteReaderAsync(ct);
        var names = new List<string>();
        while (await rows.ReadAsync(ct))
        {
            names.Add(rows.GetString(0));
        }

        return names;
    }

    /// <summary>As <see cref="NamesAsync"/>, of schemas.</summary>
    public static async Task<List<SchemaName>> SchemasAsync(this NpgsqlCommand ask, CancellationToken ct) =>
        [.. (await ask.NamesAsync(ct)).Select(SchemaName.Parse)];
}

/// <summary>Columns that may be null.</summary>
internal static class NullableColumns
{
    public static string? TextOrNull(this NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetString(column);

    public static DateTimeOffset? TimeOrNull(this NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);
}

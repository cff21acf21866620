using Npgsql;

namespace Tenancy;

/// <summary>
/// A registry in a table of the application's own that has the columns <c>id</c> (uuid), <c>slug</c>, <c>schema</c>,
/// <c>name</c>, <c>status</c> (<c>active</c>, <c>suspended</c> or <c>archived</c>) and <c>created_at</c>, with unique
/// constraints on the slug and the schema; whatever else it has needs defaults. It doesn't use EF, whose first use
/// takes longer than many a run of the migration job.
/// </summary>
/// <param name="database">The owner's, see <see cref="TenancyOptions.OwnerKey"/>.</param>
/// <param name="table">With its schema, quoted where it has to be: it becomes SQL as it is.</param>
/// <param name="ringColumn">The integer column that has the tenant's ring; null where the ledger alone knows
/// it.</param>
/// <param name="databaseColumn">The text column that names the tenant's database, null for the first one; null where
/// all tenants are in the first one.</param>
public abstract class TableRegistry(
    NpgsqlDataSource database, string table, string? ringColumn = null, string? databaseColumn = null)
    : ITenantRegistry
{
    private const string Columns = "id, slug, schema, name, status, created_at";

    /// <inheritdoc/>
    public string SchemasSql => $"SELECT schema, {Ring} AS ring FROM {table}";

    /// <inheritdoc/>
    public string TenantsSql => $"SELECT {Columns}, {Ring} AS ring, {Database} AS database FROM {table}";

    private string Database => databaseColumn ?? "NULL::text";

    private string Ring => ringColumn ?? $"{LedgerRow.UsualRing}";

    /// <inheritdoc/>
    public async Task<TenantEntry?> FindAsync(string slug, CancellationToken ct)
    {
        await using var find = database.CreateCommand($"SELECT {Columns}, {Database} FROM {table} WHERE slug = $1");
        find.Parameters.Add(new NpgsqlParameter<string> { TypedValue = slug });
        return (await ReadAsync(find, ct)).SingleOrDefault();
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyDictionary<SchemaName, string>> FindSlugsAsync(
        IReadOnlyCollection<SchemaName> schemas, CancellationToken ct)
    {
        await using var find = database.CreateCommand(
            $"SELECT schema, slug FROM {table} WHERE schema = ANY ($1)");
        find.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. schemas.Select(schema => schema.Value)] });
        await using var rows = await find.ExecuteReaderAsync(ct);
        var slugs = new Dictionary<SchemaName, string>();
        while (await rows.ReadAsync(ct))
        {
            slugs.Add(SchemaName.Parse(rows.GetString(0)), rows.GetString(1));
        }

        return slugs;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<TenantEntry>> ListAsync(string? after, int limit, CancellationToken ct)
    {
        await using var list = database.CreateCommand(
            $"SELECT {Columns}, {Database} FROM {table} WHERE slug COLLATE \"C\" > $1 " +
            "ORDER BY slug COLLATE \"C\" LIMIT $2");
        list.Parameters.Add(new NpgsqlParameter<string> { TypedValue = after ?? "" });
        list.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        return await ReadAsync(list, ct);
    }

    /// <inheritdoc/>
    public async Task<bool> TryAddAsync(TenantEntry entry, NpgsqlTransaction transaction, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(entry);
        ArgumentNullException.ThrowIfNull(transaction);
        if (entry.Tenant.Database is { } elsewhere && databaseColumn is null)
        {
            throw NoDatabases(elsewhere);
        }

        var (names, values) = ringColumn is null ? ("", "") : ($", {ringColumn}", $", {LedgerRow.UsualRing}");
        if (databaseColumn is not null)
        {
            (names, values) = ($"{names}, {databaseColumn}", $"{values}, $7");
        }

        await using var add = new NpgsqlCommand(
            $"INSERT INTO {table} ({Columns}{names}) VALUES ($1, $2, $3, $4, $5, $6{values}) " +
            "ON CONFLICT (slug) DO NOTHING",
            transaction.Connection, transaction)
        {
            Parameters =
            {
                new NpgsqlParameter<Guid> { TypedValue = entry.Tenant.Id },
                new NpgsqlParameter<string> { TypedValue = entry.Tenant.Slug },
                new NpgsqlParameter<string> { TypedValue = entry.Tenant.Schema.Value },
                new NpgsqlParameter<string> { TypedValue = entry.Name },
                new NpgsqlParameter<string> { TypedValue = Text(entry.Status) },
                new NpgsqlParameter<DateTimeOffset> { TypedValue = entry.CreatedAt },
            },
        };
        if (databaseColumn is not null)
        {
            add.Parameters.Add(DatabaseOf(entry.Tenant));
        }

        return await add.ExecuteNonQueryAsync(ct) == 1;
    }

    /// <inheritdoc/>
    public virtual async Task<bool> TrySetStatusAsync(Guid id, TenantStatus status, CancellationToken ct)
    {
        await using var set = database.CreateCommand($"UPDATE {table} SET status = $2 WHERE id = $1");
        set.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        set.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Text(status) });
        return await set.ExecuteNonQueryAsync(ct) == 1;
    }

    /// <inheritdoc/>
    public virtual async Task<bool> TryRenameAsync(Guid id, string slug, string name, CancellationToken ct)
    {
        await using var rename = database.CreateCommand($"UPDATE {table} SET slug = $2, name = $3 WHERE id = $1");
        rename.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        rename.Parameters.Add(new NpgsqlParameter<string> { TypedValue = slug });
        rename.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
        try
        {
            return await rename.ExecuteNonQueryAsync(ct) == 1;
        }
        catch (PostgresException taken) when (taken.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            throw new TenantSlugTakenException(slug);
        }
    }

    /// <inheritdoc/>
    public virtual async Task<bool> TryRemoveAsync(
        SchemaName schema, NpgsqlTransaction transaction, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        await using var remove = new NpgsqlCommand(
            $"DELETE FROM {table} WHERE schema = $1", transaction.Connection, transaction)
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = schema.Value } },
        };
        return await remove.ExecuteNonQueryAsync(ct) == 1;
    }

    /// <inheritdoc/>
    public virtual async Task<bool> TryPlaceAsync(
        Tenant tenant, Tenant place, NpgsqlTransaction transaction, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(tenant);
        ArgumentNullException.ThrowIfNull(place);
        ArgumentNullException.ThrowIfNull(transaction);
        if (databaseColumn is null)
        {
            throw NoDatabases(place.Database);
        }

        await using var turn = new NpgsqlCommand(
            $"UPDATE {table} SET schema = $3, {databaseColumn} = $4 WHERE id = $1 AND schema = $2",
            transaction.Connection, transaction)
        {
            Parameters =
            {
                new NpgsqlParameter<Guid> { TypedValue = tenant.Id },
                new NpgsqlParameter<string> { TypedValue = tenant.Schema.Value },
                new NpgsqlParameter<string> { TypedValue = place.Schema.Value },
                DatabaseOf(place),
            },
        };
        return await turn.ExecuteNonQueryAsync(ct) == 1;
    }

    private static NpgsqlParameter DatabaseOf(Tenant tenant) => new()
    {
        Value = (object?)tenant.Database ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text,
    };

    private NotSupportedException NoDatabases(string? elsewhere) => new(
        $"The registry {table} can't say that a tenant is in the database '{elsewhere ?? "first"}': give " +
        "TableRegistry the name of its column for that.");

    private static async Task<List<TenantEntry>> ReadAsync(NpgsqlCommand command, CancellationToken ct)
    {
        var entries = new List<TenantEntry>();
        await using var rows = await command.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            entries.Add(new(
                new(rows.GetGuid(0), rows.GetString(1), SchemaName.Parse(rows.GetString(2)))
                {
                    Database = rows.TextOrNull(6),
                },
                rows.GetString(3),
                Enum.Parse<TenantStatus>(rows.GetString(4), ignoreCase: true),
                rows.GetFieldValue<DateTimeOffset>(5)));
        }

        return entries;
    }

    /// <summary>A status as the table has it.</summary>
    protected static string Text(TenantStatus status) => status.ToString().ToLowerInvariant();

    /// <inheritdoc cref="ITenantRegistry.MoveAsync"/>
    public async Task MoveAsync(IReadOnlyCollection<SchemaName> schemas, int ring, CancellationToken ct)
    {
        if (ringColumn is null)
        {
            return;
        }

        await using var move = database.CreateCommand(
            $"UPDATE {table} SET {ringColumn} = $2 WHERE schema = ANY ($1)");
        move.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. schemas.Select(schema => schema.Value)] });
        move.Parameters.Add(new NpgsqlParameter<int> { TypedValue = ring });
        await move.ExecuteNonQueryAsync(ct);
    }
}

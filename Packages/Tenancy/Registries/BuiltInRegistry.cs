using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Tenancy.Registries;

/// <summary>The table <c>tenancy.tenants</c>, see <see cref="TenancyTables"/>.</summary>
internal sealed class BuiltInRegistry([FromKeyedServices(TenancyOptions.OwnerKey)] NpgsqlDataSource database)
    : ITenantRegistry
{
    private const string Columns = "id, slug, schema, name, status, created_at";

    public string SchemasSql => "SELECT schema, 1 AS ring FROM tenancy.tenants";

    public async Task<TenantEntry?> FindAsync(string slug, CancellationToken ct)
    {
        await using var find = database.CreateCommand($"SELECT {Columns} FROM tenancy.tenants WHERE slug = $1");
        find.Parameters.Add(new NpgsqlParameter<string> { TypedValue = slug });
        return (await ReadAsync(find, ct)).SingleOrDefault();
    }

    public async Task<IReadOnlyDictionary<SchemaName, string>> FindSlugsAsync(
        IReadOnlyCollection<SchemaName> schemas, CancellationToken ct)
    {
        await using var find = database.CreateCommand(
            "SELECT schema, slug FROM tenancy.tenants WHERE schema = ANY ($1)");
        find.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. schemas.Select(schema => schema.Value)] });
        await using var rows = await find.ExecuteReaderAsync(ct);
        var slugs = new Dictionary<SchemaName, string>();
        while (await rows.ReadAsync(ct))
        {
            slugs.Add(SchemaName.Parse(rows.GetString(0)), rows.GetString(1));
        }

        return slugs;
    }

    public async Task<IReadOnlyList<TenantEntry>> ListAsync(string? after, int limit, CancellationToken ct)
    {
        await using var list = database.CreateCommand(
            $"SELECT {Columns} FROM tenancy.tenants WHERE slug > $1 ORDER BY slug LIMIT $2");
        list.Parameters.Add(new NpgsqlParameter<string> { TypedValue = after ?? "" });
        list.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        return await ReadAsync(list, ct);
    }

    public async Task<bool> TryAddAsync(TenantEntry entry, NpgsqlTransaction transaction, CancellationToken ct)
    {
        await using var add = new NpgsqlCommand(
            "INSERT INTO tenancy.tenants (id, slug, schema, name, status, created_at) VALUES ($1, $2, $3, $4, $5, " +
            "$6) ON CONFLICT (slug) DO NOTHING", transaction.Connection, transaction)
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
        return await add.ExecuteNonQueryAsync(ct) == 1;
    }

    public async Task<bool> TrySetStatusAsync(Guid id, TenantStatus status, CancellationToken ct)
    {
        await using var set = database.CreateCommand("UPDATE tenancy.tenants SET status = $2 WHERE id = $1");
        set.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        set.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Text(status) });
        return await set.ExecuteNonQueryAsync(ct) == 1;
    }

    private static async Task<List<TenantEntry>> ReadAsync(NpgsqlCommand command, CancellationToken ct)
    {
        var entries = new List<TenantEntry>();
        await using var rows = await command.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            entries.Add(new(
                new(rows.GetGuid(0), rows.GetString(1), SchemaName.Parse(rows.GetString(2))), rows.GetString(3),
                Enum.Parse<TenantStatus>(rows.GetString(4), ignoreCase: true),
                rows.GetFieldValue<DateTimeOffset>(5)));
        }

        return entries;
    }

    private static string Text(TenantStatus status) => status.ToString().ToLowerInvariant();
}

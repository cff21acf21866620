using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;

namespace Data.Customers;

/// <summary>The customers as the library's registry of tenants. Without EF, whose first use takes longer than many a
/// run of the migration job.</summary>
internal sealed class CustomersTable([FromKeyedServices(TenancyOptions.OwnerKey)] NpgsqlDataSource database)
    : ITenantRegistry
{
    private const string Columns = "id, slug, schema, name, status, created_at";

    public string SchemasSql => "SELECT schema, ring FROM public.customers";

    public async Task<TenantEntry?> FindAsync(string slug, CancellationToken ct)
    {
        await using var find = database.CreateCommand($"SELECT {Columns} FROM public.customers WHERE slug = $1");
        find.Parameters.Add(new NpgsqlParameter<string> { TypedValue = slug });
        return (await ReadAsync(find, ct)).SingleOrDefault();
    }

    public Task<IReadOnlyDictionary<SchemaName, string>> FindSlugsAsync(
        IReadOnlyCollection<SchemaName> schemas, CancellationToken ct) =>
            CustomerRegistry.FindSlugsAsync(database, schemas, ct);

    public async Task<IReadOnlyList<TenantEntry>> ListAsync(string? after, int limit, CancellationToken ct)
    {
        await using var list = database.CreateCommand(
            $"""
            SELECT {Columns} FROM public.customers WHERE slug COLLATE "C" > $1 ORDER BY slug COLLATE "C" LIMIT $2
            """);
        list.Parameters.Add(new NpgsqlParameter<string> { TypedValue = after ?? "" });
        list.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        return await ReadAsync(list, ct);
    }

    public async Task<bool> TryAddAsync(TenantEntry entry, NpgsqlTransaction transaction, CancellationToken ct)
    {
        await using var add = new NpgsqlCommand(
            "INSERT INTO public.customers (id, slug, schema, name, status, ring, created_at) " +
            "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (slug) DO NOTHING", transaction.Connection, transaction)
        {
            Parameters =
            {
                new NpgsqlParameter<Guid> { TypedValue = entry.Tenant.Id },
                new NpgsqlParameter<string> { TypedValue = entry.Tenant.Slug },
                new NpgsqlParameter<string> { TypedValue = entry.Tenant.Schema.Value },
                new NpgsqlParameter<string> { TypedValue = entry.Name },
                new NpgsqlParameter<string> { TypedValue = Text(entry.Status) },
                new NpgsqlParameter<int> { TypedValue = LedgerRow.UsualRing },
                new NpgsqlParameter<DateTimeOffset> { TypedValue = entry.CreatedAt },
            },
        };
        return await add.ExecuteNonQueryAsync(ct) == 1;
    }

    public async Task<bool> TrySetStatusAsync(Guid id, TenantStatus status, CancellationToken ct)
    {
        await using var set = database.CreateCommand(
            """
            UPDATE public.customers SET status = $2,
                suspended_at = CASE WHEN $2 = 'suspended' THEN coalesce(suspended_at, now()) END,
                archived_at = CASE WHEN $2 = 'archived' THEN coalesce(archived_at, now()) END
            WHERE id = $1
            """);
        set.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        set.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Text(status) });
        return await set.ExecuteNonQueryAsync(ct) == 1;
    }

    public async Task MoveAsync(IReadOnlyCollection<SchemaName> schemas, int ring, CancellationToken ct)
    {
        await using var move = database.CreateCommand("UPDATE public.customers SET ring = $2 WHERE schema = ANY ($1)");
        move.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. schemas.Select(schema => schema.Value)] });
        move.Parameters.Add(new NpgsqlParameter<int> { TypedValue = ring });
        await move.ExecuteNonQueryAsync(ct);
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

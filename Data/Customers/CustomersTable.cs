using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;

namespace Data.Customers;

/// <summary>The customers as the library's registry of tenants.</summary>
internal sealed class CustomersTable([FromKeyedServices(TenancyOptions.OwnerKey)] NpgsqlDataSource database)
    : TableRegistry(database, "public.customers", "ring", "database")
{
    private readonly NpgsqlDataSource _database = database;

    public override async Task<bool> TrySetStatusAsync(Guid id, TenantStatus status, CancellationToken ct)
    {
        await using var set = _database.CreateCommand(
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
}

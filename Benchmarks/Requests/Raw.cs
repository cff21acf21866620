using System.Data;
using Data.Invoicing;
using Npgsql;
using Tenancy;

namespace Benchmarks.Requests;

/// <summary>
/// No EF: what somebody writes by hand who names the schema in the SQL, as good as Npgsql allows. The floor for all
/// others.
/// </summary>
internal sealed class Raw(string name, string database, IReadOnlyList<Tenant> tenants) : Variant(name, tenants)
{
    public override NpgsqlDataSource Database { get; } = TenantDataSource.CreateGuarded(
        new() { ConnectionString = ConnectionString(database, name) }).Tenants;

    public override async Task<Contact?> FindAsync(Tenant tenant, Guid id, CancellationToken ct)
    {
        await using var connection = await Database.OpenConnectionAsync(ct);
        await using var command = new NpgsqlCommand(
            $"SELECT id, name, email, created_at FROM {tenant.Schema.Quoted}.contacts WHERE id = $1 LIMIT 1",
            connection)
        {
            Parameters = { new NpgsqlParameter<Guid> { TypedValue = id } },
        };
        await using var row = await command.ExecuteReaderAsync(CommandBehavior.SingleRow, ct);
        return await row.ReadAsync(ct)
            ? new()
            {
                Id = row.GetGuid(0),
                Name = row.GetString(1),
                Email = row.IsDBNull(2) ? null : row.GetString(2),
                CreatedAt = row.GetFieldValue<DateTimeOffset>(3),
            }
            : null;
    }

    public override async Task InsertAsync(Tenant tenant, Contact contact, CancellationToken ct)
    {
        await using var connection = await Database.OpenConnectionAsync(ct);
        await using var command = new NpgsqlCommand(
            $"INSERT INTO {tenant.Schema.Quoted}.contacts (id, created_at, email, name) VALUES ($1, $2, $3, $4)",
            connection)
        {
            Parameters =
            {
                new NpgsqlParameter<Guid> { TypedValue = contact.Id },
                new NpgsqlParameter<DateTimeOffset> { TypedValue = contact.CreatedAt },
                new NpgsqlParameter<string> { TypedValue = contact.Email },
                new NpgsqlParameter<string> { TypedValue = contact.Name },
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    public override ValueTask DisposeAsync() => Database.DisposeAsync();
}

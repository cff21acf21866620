using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using NpgsqlTypes;
using Tenancy;

namespace MigrationService;

/// <summary>The customers that a command line names, by slug or by schema.</summary>
internal sealed class NamedCustomers(
    [FromKeyedServices(TenancyOptions.OwnerKey)] NpgsqlDataSource database)
{
    /// <returns>Null where none is named.</returns>
    /// <exception cref="UsageException">One isn't there.</exception>
    public async Task<IReadOnlyList<SchemaName>?> FindAsync(string[] names, CancellationToken ct)
    {
        if (names.Length == 0)
        {
            return null;
        }

        await using var find = database.CreateCommand(
            """
            SELECT asked.who, coalesce((SELECT c.schema FROM public.customers AS c WHERE c.slug = asked.who), (SELECT s.schema FROM tenancy.schemas AS s WHERE s.schema = asked.who))
            FROM unnest($1) AS asked (who)
            """);
        find.Parameters.Add(
            new NpgsqlParameter<string[]> { TypedValue = names,
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
        await using var rows = await find.ExecuteReaderAsync(ct);
        var schemas = new List<SchemaName>();
        while (await rows.ReadAsync(ct))
        {
            schemas.Add(await rows.IsDBNullAsync(1, ct)
                ? throw new UsageException(
                    $"There is no customer '{rows.GetString(0)}', neither by slug nor by schema.")
                : SchemaName.Parse(rows.GetString(1)));
        }

        return schemas;
    }

    /// <summary>The schemas of all customers that the registry has.</summary>
    public async Task<IReadOnlyCollection<string>> SchemasAsync(CancellationToken ct)
    {
        await using var all = database.CreateCommand("SELECT coalesce(array_agg(schema), '{}') FROM public.customers");
        return (string[])(await all.ExecuteScalarAsync(ct))!;
    }

    /// <summary>Registry and ledger together: the one is what people read, the other what a run goes by.</summary>
    public async Task MoveAsync(IReadOnlyList<SchemaName> schemas, int ring, CancellationToken ct)
    {
        await using var move = database.CreateCommand(
            """
            WITH registered AS (UPDATE public.customers SET ring = $2 WHERE schema = ANY ($1))
            UPDATE tenancy.schemas SET ring = $2 WHERE schema = ANY ($1)
            """);
        move.Parameters.Add(
            new NpgsqlParameter<string[]> { TypedValue = [.. schemas.Select(schema => schema.Value)],
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
        move.Parameters.Add(new NpgsqlParameter<int> { TypedValue = ring });
        await move.ExecuteNonQueryAsync(ct);
    }
}

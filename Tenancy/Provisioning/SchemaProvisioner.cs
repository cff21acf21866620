using Npgsql;

namespace Tenancy;

/// <summary>Makes a new tenant's schema, complete, inside the caller's transaction: it exists with the registry's row, or not at all.</summary>
public sealed class SchemaProvisioner(CompiledMigrations migrations, SchemaVersions versions, TenancyOptions options)
{
    /// <summary>
    /// Finds a name that was never used: <paramref name="wanted"/>, else the same with <c>_2</c>, <c>_3</c>... The name is taken by
    /// its ledger row, which no rollback but this transaction's removes.
    /// </summary>
    /// <exception cref="FormatException"><paramref name="wanted"/> can't name a tenant's schema.</exception>
    public async Task<SchemaName> ReserveAsync(NpgsqlTransaction transaction, string wanted, int ring = LedgerRow.UsualRing, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        for (var suffix = 1; ; suffix++)
        {
            var name = SchemaName.Parse(suffix == 1 ? wanted : $"{wanted}_{suffix}");
            if (options.SharedSchemas.Contains(name.Value))
            {
                continue;
            }

            // A row that another transaction is about to commit makes this wait for it, and then move on to the next name.
            await using var reserve = new NpgsqlCommand(
                """
                INSERT INTO tenancy.schemas (schema, state, ring)
                SELECT $1, 'provisioning', $2
                WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1)
                ON CONFLICT (schema) DO NOTHING
                """,
                transaction.Connection, transaction)
            {
                Parameters = { new NpgsqlParameter<string> { TypedValue = name.Value }, new NpgsqlParameter<int> { TypedValue = ring } },
            };
            if (await reserve.ExecuteNonQueryAsync(ct) == 1)
            {
                return name;
            }
        }
    }

    /// <summary>Creates the reserved schema with all migrations, in one round trip, and marks it ready.</summary>
    /// <exception cref="PostgresException">The schema exists (42P06), or a migration failed: roll the transaction back.</exception>
    public async Task CreateAsync(NpgsqlTransaction transaction, SchemaName schema, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        using var span = TenancyTelemetry.Source.StartActivity(TenancyTelemetry.ProvisionSchema);
        span?.SetTag(TenancyTelemetry.Namespace, schema.Value);

        await versions.RecordAsync(migrations.Ids, ct);
        await using var create = new NpgsqlCommand(
            migrations.CreateScript(schema) + Ledger.Created(schema, migrations.Target), transaction.Connection, transaction) { CommandTimeout = 0 };
        await create.ExecuteNonQueryAsync(ct);
    }
}

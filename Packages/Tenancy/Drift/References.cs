using System.Collections.Concurrent;
using System.Security.Cryptography;
using Npgsql;
using Tenancy.Fleet;
using Tenancy.Ledgers;

namespace Tenancy.Drift;

/// <summary>The schema that the build's migrations make.</summary>
internal sealed class Reference(string hash, string[] items)
{
    private readonly ConcurrentDictionary<string, bool> _hashes = new(StringComparer.Ordinal) { [hash] = true };

    public string[] Items => items;

    /// <summary>Whether a schema of that hash has the reference's items.</summary>
    public bool HasHash(string hash) => _hashes.ContainsKey(hash);

    /// <summary>
    /// A schema with the reference's items, whose columns came in another order: whoever has its hash need not be read
    /// in full.
    /// </summary>
    public void Learn(string hash) => _hashes.TryAdd(hash, true);
}

/// <summary>
/// One reference for each version that is met: a schema that this server makes from the migrations in a transaction
/// that is rolled back, so nobody else ever sees it.
/// </summary>
internal sealed class References(
    NpgsqlDataSource database, CompiledMigrations build, TenancyOptions options, CancellationToken ct)
{
    private readonly ConcurrentDictionary<string, Lazy<Task<Reference>>> _made = new(StringComparer.Ordinal);

    /// <param name="version">All of whose migrations the build has.</param>
    public Task<Reference> OfAsync(SchemaVersion version) =>
        _made.GetOrAdd(version.Version, _ => new(() => MakeAsync(build.Only(version.Migrations)))).Value;

    private async Task<Reference> MakeAsync(CompiledMigrations migrations)
    {
        var schema = SchemaName.Parse($"tenancy_reference_{RandomNumberGenerator.GetHexString(16, lowercase: true)}");
        await using var connection = await database.OpenConnectionAsync(ct);
        // Never committed; disposing of it rolls back, and a connection that breaks takes it along.
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await RunLimits.SetLocalAsync(connection, TimeSpan.Zero, ct);
        await using (var create = new NpgsqlCommand(
            DoBlock.WhereCutWrongly(
                migrations.CreateScript(schema) + TenantRoles.Create(options, migrations, schema)),
            connection, transaction)
            { CommandTimeout = 0 })
        {
            await create.ExecuteNonQueryAsync(ct);
        }

        await using var find = new NpgsqlCommand("SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1",
            connection, transaction) { Parameters = { LedgerTable.Text(schema.Value) } };
        var (hash, items) = await CatalogReader.ReadAsync(connection, (uint)(await find.ExecuteScalarAsync(ct))!, ct);
        return new(hash, items);
    }
}

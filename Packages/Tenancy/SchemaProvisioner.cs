using System.Threading.Channels;
using Npgsql;
using Tenancy.Backends;
using Tenancy.Fleet;
using Tenancy.Ledgers;
using Tenancy.Provisioning;

namespace Tenancy;

/// <summary>
/// Makes a new tenant's schema, complete, inside the caller's transaction: it exists with the registry's row, or not at
/// all.
/// </summary>
public sealed class SchemaProvisioner(CompiledMigrations migrations, SchemaVersions versions, TenancyOptions options,
    TenancyMetrics? metrics = null, TimeProvider? time = null)
{
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Lazy<SchemaFootprint> _footprint = new(
        () => new(migrations.Migrations.Sum(migration => migration.Up.Locks)));

    // As many as there can be spares: nobody reads where no keeper runs.
    private readonly Channel<SchemaName> _given = Channel.CreateBounded<SchemaName>(
        new BoundedChannelOptions(TenancyOptions.LargestWarmPool) { FullMode = BoundedChannelFullMode.DropOldest });

    /// <summary>
    /// The names of the spares that this process gave away, in transactions that may not have ended yet.
    /// </summary>
    internal ChannelReader<SchemaName> Given => _given.Reader;

    /// <summary>
    /// Does the work of once per process, best before a transaction holds a connection: compiles the
    /// migrations and writes the build's version down. Does nothing when called again.
    /// </summary>
    public async ValueTask PrepareAsync(CancellationToken ct = default)
    {
        migrations.Compile();
        await versions.RecordAsync(migrations.Ids, ct);
    }

    /// <summary>
    /// Gives a new tenant its schema, ready to be served: a spare one by another name where there is one (see
    /// <see cref="TenancyOptions.WarmPool"/>), else one made now. A rollback gives the spare back.
    /// </summary>
    /// <param name="transaction">The caller's, which he commits.</param>
    /// <param name="wanted">The name; see <see cref="ReserveAsync"/>.</param>
    /// <param name="ring">See <see cref="LedgerRow.Ring"/>.</param>
    /// <param name="reserved">
    /// Called when the name is reserved and before the schema exists. Write the registry's row here: a second request
    /// for the same tenant waits here and then fails before any schema is created.
    /// </param>
    /// <param name="ct">Ends the work; roll the transaction back.</param>
    /// <exception cref="FormatException"><paramref name="wanted"/> can't name a tenant's schema.</exception>
    /// <exception cref="PostgresException">A migration failed: roll the transaction back.</exception>
    public async Task<SchemaName> ProvisionAsync(
        NpgsqlTransaction transaction, string wanted, int ring = LedgerRow.UsualRing,
        Func<SchemaName, Task>? reserved = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        using var span = TenancyTelemetry.Start(TenancyTelemetry.ProvisionSchema);
        var (schema, spare) = options.WarmPool > 0
            ? await ClaimAsync(transaction, wanted, ring, ct)
            : (await ReserveAsync(transaction, wanted, ring, ct), null);
        span?.SetTag(TenancyTelemetry.Namespace, Namespace(transaction, schema))
            .SetTag(TenancyTelemetry.FromSpare, spare is not null);
        if (reserved is not null)
        {
            // The caller's own work: not a part of the measured time.
            await reserved(schema);
        }

        if (spare is { } given)
        {
            await MeasureAsync(fromSpare: true,
                () => ExecuteAsync(transaction, SpareSchemas.Rename(given, schema, migrations.KeepsName)
                    + TenantRoles.Rename(options, migrations, given, schema), ct));
            _given.Writer.TryWrite(given);
        }
        else
        {
            await MeasureAsync(fromSpare: false, () => FillAsync(transaction, schema, ct));
        }

        return schema;
    }

    /// <summary>
    /// Finds a name that was never used: <paramref name="wanted"/>, else the same with <c>_2</c>, <c>_3</c>... The name
    /// is taken by its ledger row, which no rollback but this transaction's removes.
    /// </summary>
    /// <exception cref="FormatException"><paramref name="wanted"/> can't name a tenant's schema.</exception>
    public async Task<SchemaName> ReserveAsync(
        NpgsqlTransaction transaction, string wanted, int ring = LedgerRow.UsualRing, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        foreach (var name in Names(wanted))
        {
            if (await IsElsewhereAsync(name, ct))
            {
                continue;
            }

            // A row that another transaction is about to commit makes this wait for it, and then move on to the next
            // name.
            await using var reserve = new NpgsqlCommand(
                """
                INSERT INTO tenancy.schemas (schema, state, ring)
                SELECT $1, 'provisioning', $2
                WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1)
                ON CONFLICT (schema) DO NOTHING
                """,
                transaction.Connection, transaction)
            {
                Parameters = { LedgerTable.Text(name.Value), new NpgsqlParameter<int> { TypedValue = ring } },
            };
            if (await reserve.ExecuteNonQueryAsync(ct) == 1)
            {
                return name;
            }
        }

        throw NoName(wanted);
    }

    /// <summary>Creates the reserved schema with all migrations, in one round trip, and marks it ready.</summary>
    /// <exception cref="PostgresException">The schema exists (42P06), or a migration failed: roll the transaction
    /// back.</exception>
    public async Task CreateAsync(NpgsqlTransaction transaction, SchemaName schema, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        using var span = TenancyTelemetry.Start(TenancyTelemetry.ProvisionSchema);
        span?.SetTag(TenancyTelemetry.Namespace, Namespace(transaction, schema))
            .SetTag(TenancyTelemetry.FromSpare, false);
        await MeasureAsync(fromSpare: false, () => FillAsync(transaction, schema, ct));
    }

    /// <summary>
    /// Creates the reserved schema at an older version, or at this build's, and marks it ready: nobody is served from
    /// an older one.
    /// </summary>
    /// <param name="transaction">The caller's.</param>
    /// <param name="schema">Reserved.</param>
    /// <param name="ids">The version's migrations; this build has them all.</param>
    /// <param name="ct">Ends the work; roll the transaction back.</param>
    internal async Task CreateAtAsync(
        NpgsqlTransaction transaction, SchemaName schema, IReadOnlySet<string> ids, CancellationToken ct)
    {
        var version = await versions.RecordAsync(ids, ct);
        var only = migrations.Only(ids);
        await MeasureAsync(fromSpare: false, () => ExecuteAsync(transaction,
            only.CreateScript(schema) + TenantRoles.Create(options, only, schema)
                + LedgerTable.Created(schema, version, "ready"), ct));
        Backend.Meet(transaction.Connection!, schema, _footprint.Value);
    }

    /// <summary>Makes a schema for nobody yet, in one round trip.</summary>
    internal async Task<SchemaName> CreateSpareAsync(NpgsqlTransaction transaction, CancellationToken ct)
    {
        var spare = SpareSchemas.NewName();
        await versions.RecordAsync(migrations.Ids, ct);
        await ExecuteAsync(
            transaction, LedgerTable.Reserved(spare) + CreateScript(spare)
                + LedgerTable.Created(spare, migrations.Target, "spare"), ct);
        Backend.Meet(transaction.Connection!, spare, _footprint.Value);
        return spare;
    }

    private async Task MeasureAsync(bool fromSpare, Func<Task> make)
    {
        var started = _time.GetTimestamp();
        try
        {
            await make();
            metrics?.ProvisioningTook(_time.GetElapsedTime(started), fromSpare);
        }
        catch (Exception e)
        {
            metrics?.ProvisioningTook(_time.GetElapsedTime(started), fromSpare, e);
            throw;
        }
    }

    private async Task FillAsync(NpgsqlTransaction transaction, SchemaName schema, CancellationToken ct)
    {
        // Over a connection of its own, the first time: see PrepareAsync.
        await versions.RecordAsync(migrations.Ids, ct);
        await ExecuteAsync(
            transaction, CreateScript(schema) + LedgerTable.Created(schema, migrations.Target, "ready"), ct);
        Backend.Meet(transaction.Connection!, schema, _footprint.Value);
    }

    private string CreateScript(SchemaName schema) =>
        migrations.CreateScript(schema) + TenantRoles.Create(options, migrations, schema);

    /// <summary>As <see cref="ReserveAsync"/>, and in the same round trip a spare, if there is one.</summary>
    private async Task<(SchemaName Schema, SchemaName? Spare)> ClaimAsync(
        NpgsqlTransaction transaction, string wanted, int ring, CancellationToken ct)
    {
        foreach (var name in Names(wanted))
        {
            if (await IsElsewhereAsync(name, ct))
            {
                continue;
            }

            if (await SpareSchemas.ClaimAsync(transaction, migrations.Target, name, ring, ct) is (
                Reserved: true, var spare))
            {
                return (name, spare);
            }
        }

        throw NoName(wanted);
    }

    /// <summary>A tenant's schema has a name that no other tenant's has, in whichever database.</summary>
    private async ValueTask<bool> IsElsewhereAsync(SchemaName name, CancellationToken ct) =>
        options.IsRegistered is { } registered && await registered(name, ct);

    private IEnumerable<SchemaName> Names(string wanted) => Enumerable.Range(1, int.MaxValue)
        .Select(suffix => SchemaName.Parse(suffix == 1 ? wanted : $"{wanted}_{suffix}"))
        .Where(name => !options.SharedSchemas.Contains(name.Value));

    private static string Namespace(NpgsqlTransaction transaction, SchemaName schema) =>
        TenancyTelemetry.NamespaceOf(transaction.Connection!.Database, schema.Value);

    private static InvalidOperationException NoName(string wanted) => new($"There is no free name like '{wanted}'.");

    private static async Task ExecuteAsync(NpgsqlTransaction transaction, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            DoBlock.WhereCutWrongly(sql), transaction.Connection, transaction) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(ct);
    }
}

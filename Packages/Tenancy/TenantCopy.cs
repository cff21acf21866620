using System.Data;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy.Adoption;
using Tenancy.Databases;
using Tenancy.Ledgers;
using Tenancy.Registries;

namespace Tenancy;

/// <summary>The source of a <see cref="TenantCopy"/>.</summary>
/// <param name="From">The schema of the tables that all tenants share, e.g. <c>public</c>.</param>
/// <param name="Column">The column that says whose a row is, e.g. <c>tenant_id</c>; of any type.</param>
/// <param name="Slugs">The slug of each tenant by its value of the column, as PostgreSQL writes it as text.</param>
public sealed record CopyRequest(string From, string Column, IReadOnlyDictionary<string, string> Slugs)
{
    /// <summary>Does all of it and takes it back.</summary>
    public bool DryRun { get; init; }

    /// <summary>
    /// The database that has the tables and gets the tenants, one of <see cref="TenancyOptions.Databases"/>; null for
    /// the first one.
    /// </summary>
    public string? Database { get; init; }
}

/// <summary>A tenant whose rows were copied.</summary>
/// <param name="Tenant">Who.</param>
/// <param name="Rows">How many, by table.</param>
public sealed record CopiedTenant(Tenant Tenant, IReadOnlyDictionary<string, long> Rows);

/// <summary>The result of a copy.</summary>
/// <param name="Copied">In the order of their slugs.</param>
/// <param name="Skipped">The slugs of tenants that there were: of an earlier copy that was interrupted.</param>
/// <param name="Left">How many rows of each table are nobody's, by a value that has no slug, or none, or by parents of
/// nobody's; only tables that have such rows.</param>
public sealed record CopyReport(
    IReadOnlyList<CopiedTenant> Copied, IReadOnlyList<string> Skipped, IReadOnlyDictionary<string, long> Left);

/// <summary>
/// Makes tenants of an application that keeps all tenants' rows in the same tables, apart by a column: each gets its
/// schema and a copy of its rows. The shared tables stay as they are.
/// </summary>
public sealed class TenantCopy(
    [FromKeyedServices(TenancyOptions.OwnerKey)] NpgsqlDataSource database, CompiledMigrations migrations,
    SchemaProvisioner provisioner, TenantDirectory directory, IServiceScopeFactory scopes, TenancyOptions options,
    TimeProvider time)
{
    /// <summary>
    /// Copies one tenant after the other, each in a transaction of its own, parents before children; compares counts
    /// and a sum over all columns of all rows; and lets keys go on where they were. Run again after an interruption, it
    /// skips those that are there. Stop what writes to the shared tables: later rows are in no copy.
    /// </summary>
    /// <param name="request">What.</param>
    /// <param name="progress">Told after each tenant.</param>
    /// <param name="ct">Ends it; the tenants that are done stay.</param>
    /// <exception cref="ArgumentException">There is no such database.</exception>
    /// <exception cref="AdoptionException">The tables don't fit; nothing of that tenant was made.</exception>
    /// <exception cref="FormatException">A slug can't be a tenant's, or two tenants have the same.</exception>
    /// <exception cref="TenantSlugTakenException">A slug is that of a tenant of another database.</exception>
    /// <exception cref="NpgsqlException">The database failed.</exception>
    public async Task<CopyReport> CopyAsync(
        CopyRequest request, IProgress<CopiedTenant>? progress = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        Check(request);
        await using var scope = scopes.CreateAsyncScope();
        if (request.Database is { } name && name != options.Database)
        {
            return await scope.ServiceProvider.GetRequiredService<TenantDatabases>().Named(name)
                .GetRequiredService<TenantCopy>().CopyAsync(request, progress, ct);
        }

        var tables = await TablesAsync(request, ct);
        await provisioner.PrepareAsync(ct);
        var (copied, skipped) = (new List<CopiedTenant>(), new List<Tenant>());
        var registry = scope.ServiceProvider.Registry();
        foreach (var (value, slug) in request.Slugs.OrderBy(one => one.Value, StringComparer.Ordinal))
        {
            if (await registry.FindAsync(slug, ct) is { } there)
            {
                if (there.Tenant.Database != options.Database)
                {
                    throw new TenantSlugTakenException(slug);
                }

                skipped.Add(there.Tenant);
                continue;
            }

            copied.Add(await CopyAsync(request, value, slug, registry, ct));
            progress?.Report(copied[^1]);
        }

        return new(copied, [.. skipped.Select(tenant => tenant.Slug)],
            await LeftAsync(request, tables, copied, skipped, ct));
    }

    private static void Check(CopyRequest request)
    {
        foreach (var slug in request.Slugs.Values)
        {
            TenantSlug.Check(slug);
        }

        if (request.Slugs.GroupBy(one => one.Value).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw new FormatException(
                $"The slug '{twice.Key}' is that of {string.Join(" and ", twice.Select(one => one.Key))}: each " +
                "tenant " +
                "needs one of its own.");
        }
    }

    private async Task<CopiedTenant> CopyAsync(
        CopyRequest request, string value, string slug, ITenantRegistry registry, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        // One snapshot for all tables: a parent without its children is nobody's data.
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
        await RunLimits.SetLocalAsync(connection, TimeSpan.Zero, ct);
        Tenant? tenant = null;
        await provisioner.ProvisionAsync(
            transaction, options.WantedSchema(slug), reserved: async schema =>
                tenant = await registry.AddNewAsync(
                    slug, null, schema, transaction, time, ct, database: options.Database), ct: ct);
        var rows = await new RowCopy(connection, request.From, request.Column, tenant!.Schema, migrations.HistoryTable)
            .CopyAsync(value, ct);
        if (!request.DryRun)
        {
            await transaction.CommitNewAsync(ct);
            await directory.ForgetAsync(slug, ct);
        }

        return new(tenant, rows);
    }

    /// <summary>The shared tables, and whether each has the column.</summary>
    private async Task<IReadOnlyDictionary<string, bool>> TablesAsync(CopyRequest request, CancellationToken ct)
    {
        await using var ask = database.CreateCommand(
            """
            SELECT c.relname::text, EXISTS (
                SELECT FROM pg_catalog.pg_attribute AS a
                WHERE a.attrelid = c.oid AND a.attname = $2 AND NOT a.attisdropped)
            FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
            WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1
            """);
        ask.Parameters.Add(LedgerTable.Text(request.From));
        ask.Parameters.Add(LedgerTable.Text(request.Column));
        var tables = new SortedDictionary<string, bool>(StringComparer.Ordinal);
        await using var rows = await ask.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            tables.Add(rows.GetString(0), rows.GetBoolean(1));
        }

        return tables.ContainsValue(true)
            ? tables
            : throw new AdoptionException($"No table of {request.From} has the column '{request.Column}'.");
    }

    /// <summary>
    /// Rows that no tenant has got: by the column, and of tables without it those that are left when all tenants' are
    /// counted.
    /// </summary>
    private async Task<IReadOnlyDictionary<string, long>> LeftAsync(
        CopyRequest request, IReadOnlyDictionary<string, bool> tables, List<CopiedTenant> copied, List<Tenant> skipped,
        CancellationToken ct)
    {
        var left = new SortedDictionary<string, long>(StringComparer.Ordinal);
        var names = copied.SelectMany(one => one.Rows.Keys).ToHashSet(StringComparer.Ordinal);
        foreach (var (table, hasColumn) in tables.Where(table => table.Value || names.Contains(table.Key)))
        {
            var shared = Quoted.Name(request.From, table);
            var rows = hasColumn
                ? await CountAsync(
                    $"{shared} AS t WHERE (t.{Quoted.Name(request.Column)}::text = ANY ($1)) IS NOT TRUE",
                    [.. request.Slugs.Keys], ct)
                : await CountAsync(shared, [], ct) - copied.Sum(one => one.Rows.GetValueOrDefault(table));
            foreach (var tenant in hasColumn ? [] : skipped)
            {
                rows -= await CountAsync(tenant.Schema.Qualify(table), [], ct);
            }

            if (rows > 0)
            {
                left[table] = rows;
            }
        }

        return left;
    }

    private async Task<long> CountAsync(string from, string[] values, CancellationToken ct)
    {
        await using var count = database.CreateCommand($"SELECT count(*) FROM {from}");
        count.CommandTimeout = 0;
        if (values.Length > 0)
        {
            count.Parameters.Add(LedgerTable.Texts(values));
        }

        return (long)(await count.ExecuteScalarAsync(ct))!;
    }
}

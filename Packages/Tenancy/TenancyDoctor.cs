using System.Data;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy.Databases;
using Tenancy.Doctor;

namespace Tenancy;

/// <summary>
/// Reads the numbers by which a database of many schemas goes wrong, and holds each against its limit
/// (<see cref="TenancyOptions.Doctor"/>): sizes, lost schemas, vacuum, locks, memory, and sessions that would block a
/// run. It changes nothing and takes no lock that anybody waits for. It reads each catalog once, whatever the number of
/// schemas: 1.6 s with 10,000 tenants.
/// </summary>
/// <remarks>
/// Other users' sessions are seen by a login with the rights of <c>pg_read_all_stats</c> (<c>pg_monitor</c> has them).
/// Without them some findings are unknown, and say so.
/// </remarks>
public sealed class TenancyDoctor : IDisposable
{
    /// <summary>In place of a registry that the application doesn't have: nothing is missing there.</summary>
    private const string LedgerAlone = "SELECT schema FROM tenancy.schemas";

    private readonly NpgsqlDataSource _database;
    private readonly NpgsqlDataSource _serving;
    private readonly CompiledMigrations _build;
    private readonly TenancyOptions _options;
    private readonly IServiceScopeFactory _scopes;
    private readonly TimeProvider _time;
    private readonly TenancyMetrics _metrics;
    private readonly TenantDatabases? _others;
    private readonly SemaphoreSlim _one = new(1);

    internal TenancyDoctor(GuardedDataSource pools, CompiledMigrations build, TenancyOptions options,
        IServiceScopeFactory scopes, TimeProvider time, TenancyMetrics metrics, TenantDatabases? others = null)
    {
        _others = others;
        (_serving, _build, _options, _scopes, _time, _metrics) =
            (pools.Tenants, build, options, scopes, time, metrics);
        // A connection of its own, closed afterwards: it takes none from a request, and no pooled backend learns all
        // tables. Without a logger: a database that is gone is told by health, once.
        _database = TenantDataSource.Create(options, builder =>
        {
            builder.ConnectionStringBuilder.Pooling = false;
            builder.ConnectionStringBuilder.ApplicationName = "tenancy doctor";
        });
    }

    /// <summary>False for tests of a server on another machine.</summary>
    internal bool LooksLocally { get; set; } = true;

    /// <summary>
    /// The last report of this process on this database; null before the first, and after an examination that failed.
    /// </summary>
    public DoctorReport? Last => _metrics.Doctor.GetValueOrDefault(Name);

    /// <summary>
    /// The last reports of this process on all databases together, see <see cref="TenancyOptions.Databases"/>; null
    /// before the first. A database that wasn't examined is named.
    /// </summary>
    public DoctorReport? LastOfAll =>
        _others is { Others.Count: > 0 } ? DoctorsOfAll.Last(this, _others) : Last;

    private string Name => _options.Database ?? TenancyOptions.FirstDatabase;

    /// <summary>
    /// The last report if it is young enough; else it examines, once for all who ask at the same time.
    /// </summary>
    /// <param name="atMost">How old it may be when this is called. Zero: it begins after the call.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="NpgsqlException">The database failed.</exception>
    public async Task<DoctorReport> ReportAsync(TimeSpan atMost, CancellationToken ct = default)
    {
        var oldest = _time.GetUtcNow() - atMost;
        await _one.WaitAsync(ct);
        try
        {
            if (Last is { } last && last.At >= oldest)
            {
                return last;
            }

            return _metrics.Doctor[Name] = await LookAsync(ct);
        }
        catch (NpgsqlException)
        {
            // Health and the gauges would go on telling the numbers of a database that is gone.
            _metrics.Doctor.TryRemove(Name, out _);
            throw;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>
    /// The reports on all databases together, see <see cref="ReportAsync"/>. With several, one that doesn't answer is
    /// named and the others' findings stay, unless it is the first or the only one that was asked.
    /// </summary>
    /// <param name="atMost">How old each may be when this is called. Zero: it begins after the call.</param>
    /// <param name="only">One of <see cref="TenancyOptions.Databases"/>, or
    /// <see cref="TenancyOptions.FirstDatabase"/>; null for all.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="ArgumentException">There is no such database.</exception>
    /// <exception cref="NpgsqlException">The first database failed, or the only one.</exception>
    public Task<DoctorReport> ReportOfAllAsync(
        TimeSpan atMost, string? only = null, CancellationToken ct = default) =>
            _others is null ? ReportAsync(atMost, ct) : DoctorsOfAll.ReportAsync(this, _others, atMost, only, ct);

    /// <summary>Examines now, or joins an examination that begins after this call.</summary>
    /// <param name="ct">Ends it.</param>
    /// <exception cref="NpgsqlException">The database failed. A question that it refuses is an unknown finding
    /// instead.</exception>
    public Task<DoctorReport> ExamineAsync(CancellationToken ct = default) => ReportAsync(TimeSpan.Zero, ct);

    /// <summary>
    /// What would block a run that began now, be blocked by it, or keep its dead rows: the findings <c>dump</c>,
    /// <c>old-transaction</c>, <c>prepared-transaction</c> and <c>replication</c> alone. Takes some milliseconds.
    /// </summary>
    /// <param name="ct">Ends it.</param>
    /// <exception cref="NpgsqlException">The database failed.</exception>
    public async Task<IReadOnlyList<DoctorFinding>> BlockersAsync(CancellationToken ct = default)
    {
        await using var connection = await _database.OpenConnectionAsync(ct);
        var of = new Examined(connection, _options, await ServerSettings.ReadAsync(connection, ct));
        return await AskAsync(of, SessionsPart.Kinds, () => SessionsPart.ReadAsync(of, ct));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _database.Dispose();
        _one.Dispose();
    }

    private async Task<DoctorReport> LookAsync(CancellationToken ct)
    {
        var (at, started) = (_time.GetUtcNow(), _time.GetTimestamp());
        await using var connection = await _database.OpenConnectionAsync(ct);
        var of = new Examined(connection, _options, await ServerSettings.ReadAsync(connection, ct));
        DoctorFinding[] findings =
        [
            .. await AskAsync(of, SchemaPart.Kinds, () => CompareAsync(of, ct)),
            .. await AskAsync(of, CatalogPart.Kinds, () => CatalogPart.ReadAsync(of, ct)),
            .. await AskAsync(of, BloatPart.Kinds, () => BloatPart.ReadAsync(of, ct)),
            .. RunLocksPart.Read(of, _build),
            .. await AskAsync(of, MemoryPart.Kinds, () => MemoryPart.ReadAsync(of, _serving, LooksLocally, ct)),
            .. await AskAsync(of, StatementsPart.Kinds, () => StatementsPart.ReadAsync(of, ct)),
            .. await AskAsync(of, SessionsPart.Kinds, () => SessionsPart.ReadAsync(of, ct)),
        ];
        return new(at, _time.GetElapsedTime(started),
            [.. findings.Select(finding => finding with { Database = _options.Database })]);
    }

    private async Task<IReadOnlyList<DoctorFinding>> CompareAsync(Examined of, CancellationToken ct)
    {
        await using var scope = _scopes.CreateAsyncScope();
        var registered = scope.ServiceProvider.GetService<ITenantRegistry>() is { } registry
            ? await registry.SchemasSqlAsync(_options, ct)
            : LedgerAlone;
        return await SchemaPart.ReadAsync(of, registered, _build.HistoryTable, ct);
    }

    /// <summary>What the server refuses to one question leaves the others their answers.</summary>
    private static async Task<IReadOnlyList<DoctorFinding>> AskAsync(
        Examined of, IReadOnlyList<FindingKind> kinds, Func<Task<IReadOnlyList<DoctorFinding>>> ask)
    {
        try
        {
            return await ask();
        }
        catch (PostgresException e) when (of.Connection.State == ConnectionState.Open)
        {
            var advice = e.SqlState switch
            {
                PostgresErrorCodes.InsufficientPrivilege => of.Server.Grant,
                PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName =>
                    "Run the migration job: this database lacks tables of the library or of the extension.",
                PostgresErrorCodes.QueryCanceled => "The server took longer than 30 seconds. Try again in quiet hours.",
                _ => "See the server's log.",
            };
            return [.. kinds.Select(kind => kind.Unknown(null, $"PostgreSQL refused: {e.MessageText}.", advice))];
        }
    }
}

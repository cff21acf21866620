using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Journeys;

/// <summary>Makes what the doctor warns of, until it is disposed of.</summary>
internal sealed class DoctorFindings : IAsyncDisposable
{
    private const string Orphan = "customer_left_behind";

    private readonly ConsoleApp _console;
    private readonly NpgsqlConnection _dump;

    private DoctorFindings(ConsoleApp console, NpgsqlConnection dump) => (_console, _dump) = (console, dump);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private DoctorLimits Limits => _console.Options.Doctor;

    /// <summary>A schema without a customer, and a session that a dump has open.</summary>
    public static async Task<DoctorFindings> MakeAsync(ConsoleApp console)
    {
        var dump = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(console.ConnectionString)
        {
            ApplicationName = "pg_dump", Pooling = false,
        }.ConnectionString);
        await dump.OpenAsync(Ct);
        await ExecuteAsync(dump, $"""CREATE SCHEMA {Orphan}; CREATE TABLE {Orphan}."__EFMigrationsHistory" (x int)""");
        await ExecuteAsync(dump,
            """
            BEGIN ISOLATION LEVEL REPEATABLE READ;
            DO $$ DECLARE name text; BEGIN
                FOR name IN SELECT schema FROM tenancy.schemas WHERE state = 'ready' ORDER BY schema LIMIT 12 LOOP
                    EXECUTE format('LOCK TABLE %1$I.contacts, %1$I.invoices IN ACCESS SHARE MODE', name);
                END LOOP;
            END $$
            """);
        return new(console, dump);
    }

    /// <summary>Makes most other numbers a finding, too, by limits that no database keeps.</summary>
    /// <returns>Gives the limits back.</returns>
    public IDisposable LowerLimits()
    {
        var (options, limits) = (_console.Options, Limits);
        var was = (limits.Relations, limits.CatalogBytes, limits.FreezeAgeShare, limits.TransactionAge,
            limits.DeadCatalogRows, limits.DeadCatalogShare, limits.TablesPastVacuum, options.BackendMemory);
        (limits.Relations, limits.CatalogBytes, limits.FreezeAgeShare, limits.TransactionAge) =
            (1_000, 1 << 20, 0, TimeSpan.Zero);
        (limits.DeadCatalogRows, limits.DeadCatalogShare, limits.TablesPastVacuum) = (0, 0, 0);
        options.BackendMemory = 1 << 20;
        return new Lowered(() => (limits.Relations, limits.CatalogBytes, limits.FreezeAgeShare, limits.TransactionAge,
            limits.DeadCatalogRows, limits.DeadCatalogShare, limits.TablesPastVacuum, options.BackendMemory) = was);
    }

    public async ValueTask DisposeAsync()
    {
        await ExecuteAsync(_dump, $"ROLLBACK; DROP SCHEMA {Orphan} CASCADE");
        await _dump.DisposeAsync();
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Ct);
    }

    private sealed class Lowered(Action back) : IDisposable
    {
        public void Dispose() => back();
    }
}

using System.Diagnostics;
using Npgsql;
using Tenancy.Postgres.Cluster;
using Xunit;

namespace Tests.Integration.Doctor;

/// <summary>A pg_dump of a whole database.</summary>
internal sealed class Dump : IAsyncDisposable
{
    private readonly Process _process;
    private readonly NpgsqlConnection _inTheWay;

    private Dump(Process process, NpgsqlConnection inTheWay) => (_process, _inTheWay) = (process, inTheWay);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Begins one that can't end: it waits for a table that is locked.</summary>
    public static async Task<Dump> StartAsync(Examination database)
    {
        await database.ExecuteAsync("CREATE TABLE public.zzz (x int)");
        var connection = await database.OpenAsync();
        await using (var held = new NpgsqlCommand(
            "BEGIN; LOCK TABLE public.zzz IN ACCESS EXCLUSIVE MODE", connection))
        {
            await held.ExecuteNonQueryAsync(Ct);
        }

        var dump = new Dump(await BeginAsync(database), connection);
        await Eventually.HoldsAsync(() => database.ScalarAsync<bool>(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'pg_dump' AND wait_event_type = " +
            "'Lock')"));
        return dump;
    }

    /// <summary>One that runs to its end.</summary>
    public static async Task<(int ExitCode, string Error)> RunAsync(Examination database)
    {
        using var dump = await BeginAsync(database);
        var error = await dump.StandardError.ReadToEndAsync(Ct);
        await dump.WaitForExitAsync(Ct);
        return (dump.ExitCode, error);
    }

    /// <summary>Lets it go on, and waits for its end.</summary>
    public async Task EndAsync()
    {
        await _inTheWay.CloseAsync();
        await _process.WaitForExitAsync(Ct);
    }

    public async ValueTask DisposeAsync()
    {
        await _inTheWay.DisposeAsync();
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    private static async Task<Process> BeginAsync(Examination database)
    {
        var major = await database.ScalarAsync<int>("SELECT current_setting('server_version_num')::int / 10000");
        var folder = PostgresBinaries.Installed()
            .Where(binaries => File.Exists(Path.Combine(binaries.Folder, "pg_dump")) && binaries.Major >= major)
            .Select(binaries => binaries.Folder).FirstOrDefault();
        Assert.SkipWhen(folder is null, $"There is no pg_dump for PostgreSQL {major}.");
        var settings = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        var start = new ProcessStartInfo(Path.Combine(folder, "pg_dump"))
        {
            RedirectStandardError = true,
            Environment =
            {
                ["PGHOST"] = settings.Host, ["PGPORT"] = $"{settings.Port}", ["PGUSER"] = settings.Username,
                ["PGPASSWORD"] = settings.Password, ["PGDATABASE"] = settings.Database,
            },
        };
        foreach (var argument in (string[])["--schema-only", "--file=/dev/null"])
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start)!;
    }
}

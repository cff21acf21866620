using System.Diagnostics;
using Npgsql;
using Tenancy.Postgres;
using Tenancy.Postgres.Cluster;

namespace Benchmarks.Measuring;

/// <summary>PostgreSQL's own program for copies, as a peer.</summary>
internal static class PgDump
{
    /// <summary>A file that keeps nothing.</summary>
    public static readonly string Nowhere = OperatingSystem.IsWindows() ? "NUL" : "/dev/null";

    /// <summary>The newest pg_dump there is; a folder on the PATH may have the server without it.</summary>
    private static readonly Lazy<string> Program = new(() =>
    {
        var name = OperatingSystem.IsWindows() ? "pg_dump.exe" : "pg_dump";
        return PostgresBinaries.Choose(
            PostgresBinaries.Installed().Where(binaries => File.Exists(Path.Combine(binaries.Folder, name))),
            version: null) is { } newest
            ? Path.Combine(newest.Folder, name)
            : throw new NoPostgresException(
                "There is no pg_dump in any of the folders where PostgreSQL is looked for.");
    });

    /// <param name="database">Its connection string.</param>
    /// <param name="arguments">Without those that say where the database is.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public static async Task RunAsync(string database, IEnumerable<string> arguments, CancellationToken ct)
    {
        var settings = new NpgsqlConnectionStringBuilder(database);
        var dump = new ProcessStartInfo(Program.Value)
        {
            Environment =
            {
                ["PGHOST"] = settings.Host, ["PGPORT"] = $"{settings.Port}", ["PGUSER"] = settings.Username,
                ["PGPASSWORD"] = settings.Password, ["PGDATABASE"] = settings.Database,
            },
        };
        foreach (var argument in arguments)
        {
            dump.ArgumentList.Add(argument);
        }

        using var process = Process.Start(dump)!;
        await process.WaitForExitAsync(ct);
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"pg_dump ended with exit code {process.ExitCode}.");
        }
    }
}

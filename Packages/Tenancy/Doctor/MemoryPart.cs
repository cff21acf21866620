using System.Globalization;
using System.Net;
using Npgsql;
using static Tenancy.Doctor.FindingKind;

namespace Tenancy.Doctor;

/// <summary>
/// One backend's memory times the size of the pool that serves tenants. On the server's own machine all backends are
/// looked at, by Linux's /proc. Elsewhere PostgreSQL shows each session its own memory alone
/// (<c>pg_backend_memory_contexts</c>), so a connection of the pool is asked.
/// </summary>
internal static class MemoryPart
{
    public static readonly IReadOnlyList<FindingKind> Kinds = [BackendMemory];

    /// <param name="of">What is examined.</param>
    /// <param name="pool">The pool that serves tenants.</param>
    /// <param name="locally">Whether /proc may be looked at.</param>
    /// <param name="ct">Ends the wait.</param>
    public static async Task<IReadOnlyList<DoctorFinding>> ReadAsync(
        Examined of, NpgsqlDataSource pool, bool locally, CancellationToken ct)
    {
        var settings = new NpgsqlConnectionStringBuilder(pool.ConnectionString);
        var size = settings.Pooling ? settings.MaxPoolSize : 1;
        var (bytes, source) = locally && await LargestLocalAsync(of, ct) is { } largest
            ? (largest, "the largest backend of this database has (RssAnon in /proc)")
            : (await OfPoolAsync(pool, ct), "a connection of the pool has (pg_backend_memory_contexts)");
        if (bytes is not { } each)
        {
            return
            [
                BackendMemory.Unknown(Limit(of),
                    $"The login {settings.Username} may not see its own memory, and the server isn't on this machine.",
                    $"Let an administrator run: GRANT pg_read_all_stats TO \"{settings.Username}\"."),
            ];
        }

        return
        [
            BackendMemory.Of((double)each * size, Limit(of),
                $"{Size(each)} is what {source}. Times the pool's {size} connections: {Size((double)each * size)}, " +
                "in each process that serves.",
                "Lower Maximum Pool Size or Connection Lifetime in the serving connection string, or raise the limit " +
                "if the server has the memory (TenancyOptions.BackendMemory)."),
        ];
    }

    /// <summary>The budget of the pools. Where they have none, its default.</summary>
    private static long Limit(Examined of) =>
        of.Options.BackendMemory is > 0 and var budget ? budget : TenancyOptions.DefaultBackendMemory;

    /// <summary>Null where the server isn't on this machine, or its processes can't be looked at.</summary>
    private static async Task<long?> LargestLocalAsync(Examined of, CancellationToken ct)
    {
        if (!OperatingSystem.IsLinux() || !IsLocal(of.Connection.Host))
        {
            return null;
        }

        var backends = await of.ReadAsync(
            """
            SELECT pid, usename::text, datname::text FROM pg_catalog.pg_stat_activity
            WHERE datname = pg_catalog.current_database() AND usename IS NOT NULL
            """, row => (Pid: row.GetInt32(0), Title: $"postgres: {row.GetString(1)} {row.GetString(2)} "), ct);
        var sizes = backends.Select(backend => PrivateBytes(backend.Pid, backend.Title)).OfType<long>().ToList();
        return sizes.Count == 0 ? null : sizes.Max();
    }

    /// <summary>
    /// A forwarded port or a container looks local and isn't: a process with that number counts only if it is titled
    /// as PostgreSQL titles that backend.
    /// </summary>
    private static long? PrivateBytes(int pid, string title)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline").StartsWith(title, StringComparison.Ordinal)
                && File.ReadLines($"/proc/{pid}/status")
                    .FirstOrDefault(line => line.StartsWith("RssAnon:", StringComparison.Ordinal)) is { } line
                && long.TryParse(line["RssAnon:".Length..].Replace("kB", "", StringComparison.Ordinal),
                    CultureInfo.InvariantCulture, out var kilobytes)
                ? kilobytes * 1024
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It ended meanwhile, or there is no such process here.
            return null;
        }
    }

    private static bool IsLocal(string? host) => host is null or "localhost" || host.StartsWith('/')
        || IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address);

    /// <summary>Null where the login may not. It asks first: a refusal would be an error in the server's log.</summary>
    private static async Task<long?> OfPoolAsync(NpgsqlDataSource pool, CancellationToken ct)
    {
        await using var connection = await pool.OpenConnectionAsync(ct);
        await using var may = new NpgsqlCommand(
            "SELECT pg_catalog.has_table_privilege('pg_catalog.pg_backend_memory_contexts', 'SELECT')", connection);
        if (await may.ExecuteScalarAsync(ct) is not true)
        {
            return null;
        }

        await using var ask = new NpgsqlCommand(
            "SELECT sum(total_bytes)::bigint FROM pg_catalog.pg_backend_memory_contexts", connection);
        return (long?)await ask.ExecuteScalarAsync(ct);
    }
}

using System.Security.Cryptography;

namespace Tenancy.Postgres.Cluster;

/// <summary>
/// A database cluster, PostgreSQL's name for one server's data: where it is, which binaries read it, and its
/// superuser's password, which is kept inside the data folder, so that the one never outlives the other.
/// </summary>
internal sealed record DatabaseCluster(string Data, PostgresBinaries Binaries, ServerAccount Account, string Password)
{
    public const string Superuser = "postgres";

    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(4);

    /// <summary>
    /// Opens the cluster in the folder's subfolder <c>data</c>; makes it, with the newest binaries, if there is none.
    /// </summary>
    /// <exception cref="NoPostgresException">Its binaries or its password are missing, another server uses it, or it
    /// can't be made.</exception>
    public static DatabaseCluster Open(string folder, ServerAccount account, IReadOnlyList<PostgresBinaries> installed)
    {
        var data = Path.Combine(folder, "data");
        if (!Directory.Exists(data))
        {
            var newest = PostgresBinaries.Choose(installed, version: null)
                ?? throw new NoPostgresException("PostgreSQL isn't installed.");
            return Make(folder, data, account, newest);
        }

        var version = VersionOf(folder)
            ?? throw new NoPostgresException(
                $"'{data}' isn't PostgreSQL's: it has no file PG_VERSION. Name another folder with " +
                "--Postgres:DataFolder=...");
        var binaries = PostgresBinaries.Choose(installed, version) ?? throw new NoPostgresException($"""
            The data in '{data}' was made by PostgreSQL {version}, which isn't installed (found: {Majors(installed)}), and no other version reads it.
            Install PostgreSQL {version}; or delete that folder, and with it the data, to begin anew; or name another with --Postgres:DataFolder=...
            """);
        RefuseIfUsed(data);
        return new(data, binaries, account, ReadPassword(data, binaries));
    }

    /// <summary>The major version that made the data in the folder; null when there is no data.</summary>
    public static string? VersionOf(string folder) =>
        Path.Combine(folder, "data", "PG_VERSION") is var file && File.Exists(file)
            ? File.ReadAllText(file).Trim()
            : null;

    /// <summary>
    /// Made beside its place and then moved, so that what is interrupted is made again, and of two that are made at
    /// once the first is used. The file that tells initdb the password becomes the one that keeps it.
    /// </summary>
    internal static DatabaseCluster Make(string folder, string data, ServerAccount account, PostgresBinaries binaries)
    {
        foreach (var leftover in Directory.GetFileSystemEntries(folder, "new-*").Where(path => !IsMadeNow(path)))
        {
            Delete(leftover);
        }

        var making = Path.Combine(folder, $"new-{Environment.ProcessId}");
        var passwordFile = making + ".password";
        var password = RandomNumberGenerator.GetString("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789", 32);
        File.WriteAllText(passwordFile, "");
        account.Own(passwordFile);
        File.WriteAllText(passwordFile, password);

        // -N: nobody misses data that a power cut takes in its first seconds.
        var made = account.Run(binaries.InitDb, "-D", making, "-U", Superuser, "-A", "scram-sha-256",
            $"--pwfile={passwordFile}", "-E", "UTF8", "--locale=C", "-N");
        if (!made.Succeeded)
        {
            Delete(making);
            Delete(passwordFile);
            throw new NoPostgresException(
                $"PostgreSQL {binaries.Major} can't make a database cluster in '{folder}': {made.Output}");
        }

        File.Move(passwordFile, PasswordFile(making));
        try
        {
            Directory.Move(making, data);
        }
        catch (IOException) when (Directory.Exists(data))
        {
            Delete(making);
            password = ReadPassword(data, binaries);
        }

        return new(data, binaries, account, password);
    }

    /// <summary>
    /// A server that is just going, because its AppHost was killed a moment ago, is waited for: four seconds at most.
    /// </summary>
    private static void RefuseIfUsed(string data)
    {
        var lockFile = Path.Combine(data, "postmaster.pid");
        if (!File.Exists(lockFile) || !int.TryParse(File.ReadLines(lockFile).FirstOrDefault(), out var id)
            || LiveProcess.Find(id) is not { } server)
        {
            return;
        }

        using (server)
        {
            if (server.ProcessName.StartsWith("postgres", StringComparison.OrdinalIgnoreCase)
                && !server.WaitForExit(Farewell))
            {
                throw new NoPostgresException($"""
                    Another server (process {id}) uses the data in '{data}': this AppHost seems to run already.
                    Stop it first, or give this one its own data with --Postgres:DataFolder=...
                    """);
            }
        }
    }

    private static string ReadPassword(string data, PostgresBinaries binaries) => File.Exists(PasswordFile(data))
        ? File.ReadAllText(PasswordFile(data)).Trim()
        : throw new NoPostgresException($"""
            The data in '{data}' is there, but the file '{PasswordFile(data)}' with the password of its user '{Superuser}' is gone.
            Put it back; or write a new password into it, and tell PostgreSQL, as the owner of the data, with the server stopped:
              echo "ALTER USER {Superuser} PASSWORD 'the new one'" | '{binaries.Server}' --single -D '{data}' {Superuser}
            or delete that folder, and with it the data, to begin anew.
            """);

    private static string PasswordFile(string data) => Path.Combine(data, "password");

    private static string Majors(IReadOnlyList<PostgresBinaries> installed) =>
        installed.Count == 0 ? "none" : string.Join(", ", installed.Select(one => one.Major).Distinct());

    // "new-123" and "new-123.password" are the work of process 123.
    private static bool IsMadeNow(string path) =>
        int.TryParse(Path.GetFileNameWithoutExtension(path).AsSpan("new-".Length), out var id)
            && id != Environment.ProcessId && LiveProcess.Exists(id);

    private static void Delete(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
        else
        {
            File.Delete(path);
        }
    }
}

namespace Tenancy.Postgres.Cluster;

/// <summary>Folders for servers whose data nobody will miss, named after the process that made them.</summary>
internal static class ThrowawayFolder
{
    private const string Prefix = "throwaway-postgres-";
    private const string Memory = "/dev/shm";

    /// <summary>
    /// The space for a database of a thousand customers, a copy of it, and the log of a benchmark's writes.
    /// </summary>
    private const long MemoryNeeded = 4L << 30;

    /// <summary>
    /// Makes one in the temporary folder, if the server's user can use that, and deletes those of processes that were
    /// killed.
    /// </summary>
    /// <param name="account">The server's.</param>
    /// <param name="inMemory">Rather in a file system that is memory alone, where there is one that is large
    /// enough.</param>
    /// <exception cref="NoPostgresException">The server's user can use no temporary folder.</exception>
    public static string Make(ServerAccount account, bool inMemory = false)
    {
        string[] memory = inMemory && Directory.Exists(Memory)
            && new DriveInfo(Memory).AvailableFreeSpace >= MemoryNeeded ? [Memory] : [];
        foreach (var parent in memory.Concat([Path.GetTempPath(), "/tmp", "/var/tmp"]).Where(Directory.Exists))
        {
            DeleteLeftovers(parent);
            var folder = Path.Combine(parent, $"{Prefix}{Environment.ProcessId}-{Path.GetRandomFileName()}");
            if (DataFolder.Prepare(folder, account))
            {
                return folder;
            }
        }

        throw new NoPostgresException(
            $"The user '{account.Name}', as whom PostgreSQL runs, can't use '{Path.GetTempPath()}': set TMPDIR.");
    }

    private static void DeleteLeftovers(string parent)
    {
        foreach (var folder in Directory.GetDirectories(parent, Prefix + "*"))
        {
            if (!int.TryParse(Path.GetFileName(folder).Split('-')[2], out var maker) || LiveProcess.Exists(maker))
            {
                continue;
            }

            try
            {
                Directory.Delete(folder, recursive: true);
            }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
            {
                // Someone else's, or being deleted by another run at this moment.
            }
        }
    }
}

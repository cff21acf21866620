using System.Diagnostics;

namespace Tenancy.Postgres.Cluster;

internal static class LiveProcess
{
    /// <summary>The process of that id, for the caller to dispose, or null when there is none.</summary>
    public static Process? Find(int id)
    {
        try
        {
            return Process.GetProcessById(id);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    public static bool Exists(int id)
    {
        using var process = Find(id);
        return process is not null;
    }
}

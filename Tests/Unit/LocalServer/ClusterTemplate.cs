using Tenancy.Postgres.Cluster;
using Xunit;

namespace Tests.Unit.LocalServer;

/// <summary>
/// A database cluster made once, by the installed PostgreSQL, and copied for each test: making one takes a second or
/// two.
/// </summary>
public sealed class ClusterTemplate : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public ClusterTemplate()
    {
        DataFolder.Choose("/", _folder["template"], Account, "/", TextWriter.Null);
        DatabaseCluster.Open(_folder["template"], Account, Installed);
    }

    internal static ServerAccount Account { get; } = ServerAccount.Current();

    internal static IReadOnlyList<PostgresBinaries> Installed { get; } = PostgresBinaries.Installed();

    /// <summary>Copies it to a folder that doesn't exist yet.</summary>
    public void CopyTo(string folder)
    {
        var copied = Command.Run(TimeSpan.FromMinutes(1), "cp", "-a", _folder["template"], folder);
        Assert.True(copied.Succeeded, copied.Output);
    }

    public void Dispose() => _folder.Dispose();
}

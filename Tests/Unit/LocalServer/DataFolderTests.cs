using Tenancy.Postgres;
using Tenancy.Postgres.Cluster;
using Xunit;

namespace Tests.Unit.LocalServer;

public sealed class DataFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ServerAccount _account = ServerAccount.Current();
    private readonly StringWriter _announced = new();

    [Fact]
    public void Data_is_kept_beside_the_AppHost()
    {
        var appHost = _folder.Folder("AppHost");

        Assert.Equal(Path.Combine(appHost, ".postgres"), Choose(appHost));
        Assert.Equal("", _announced.ToString());
    }

    [Fact]
    public void Where_the_servers_user_is_not_let_in_data_is_kept_in_the_state_folder_and_that_is_announced()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Unix permissions.");
        var closed = _folder.Folder("closed", mode: "500");
        var alsoClosed = _folder.Folder("also closed", mode: "500");

        var folder = Choose(closed);

        Assert.StartsWith(_folder["state"], folder, StringComparison.Ordinal);
        Assert.Contains(folder, _announced.ToString(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(closed, ".postgres")));
        Assert.Equal(folder, Choose(closed));
        Assert.NotEqual(folder, Choose(alsoClosed));
    }

    [Fact]
    public void Data_in_the_state_folder_is_found_again_when_the_AppHosts_folder_becomes_usable()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Unix permissions.");
        var appHost = _folder.Folder("AppHost", mode: "500");
        var folder = Choose(appHost);
        _account.Run("mkdir", Path.Combine(folder, "data"));
        _folder.Folder("AppHost", mode: "755");

        Assert.Equal(folder, Choose(appHost));
    }

    [Fact]
    public void A_folder_that_was_asked_for_is_used_or_refused_and_never_replaced()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Unix permissions.");
        var appHost = _folder.Folder("AppHost");
        _folder.Folder("AppHost/closed", mode: "500");

        Assert.Equal(Path.Combine(appHost, "mine"), Choose(appHost, wanted: "mine"));
        var refused = Assert.Throws<NoPostgresException>(() => Choose(appHost, wanted: "closed/mine"));

        Assert.Contains("Postgres:DataFolder", refused.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(appHost, "closed")));
    }

    [Fact]
    public void Nobody_else_can_read_the_data() =>
        Assert.True(TemporaryFolder.IsPrivate(Choose(_folder.Folder("AppHost"))));

    public void Dispose() => _folder.Dispose();

    private string Choose(string appHost, string? wanted = null)
    {
        var state = Directory.Exists(_folder["state"]) ? _folder["state"] : _folder.Folder("state");
        return DataFolder.Choose(appHost, wanted, _account, state, _announced);
    }
}

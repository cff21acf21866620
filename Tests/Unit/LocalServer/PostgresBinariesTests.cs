using Tenancy.Postgres.Cluster;
using Xunit;

namespace Tests.Unit.LocalServer;

public sealed class PostgresBinariesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void New_data_is_made_by_the_newest_installation()
    {
        var installed = PostgresBinaries.In(
            [Installation("old", "14.2"), Installation("new", "18beta1"),
                Installation("between", "15.14 (Debian 15.14-0+deb12u1)")]);

        Assert.Equal([14, 18, 15], installed.Select(one => one.Major));
        Assert.Equal(_folder["new"], PostgresBinaries.Choose(installed, version: null)?.Folder);
    }

    [Fact]
    public void Kept_data_is_read_by_the_version_that_made_it()
    {
        var installed = PostgresBinaries.In([Installation("new", "18.1"), Installation("old", "14.2")]);

        Assert.Equal(14, PostgresBinaries.Choose(installed, "14")?.Major);
        Assert.Null(PostgresBinaries.Choose(installed, "17"));
    }

    [Fact]
    public void Of_one_version_twice_the_first_place_wins()
    {
        var installed = PostgresBinaries.In([Installation("on the path", "17.1"), Installation("elsewhere", "17.9")]);

        Assert.Equal(_folder["on the path"], PostgresBinaries.Choose(installed, version: null)?.Folder);
    }

    [Fact]
    public void A_folder_without_initdb_or_with_a_program_that_does_not_answer_is_no_installation()
    {
        _folder.Script("client only/postgres", "echo 'postgres (PostgreSQL) 17.1'");
        var broken = Installation("broken", "17.1");
        _folder.Script("broken/postgres", "echo 'error while loading shared libraries' >&2; exit 127");

        Assert.Empty(PostgresBinaries.In([_folder["client only"], broken, _folder["missing"]]));
    }

    public void Dispose() => _folder.Dispose();

    private string Installation(string name, string version)
    {
        _folder.Script(Path.Combine(name, "postgres"), $"echo 'postgres (PostgreSQL) {version}'");
        _folder.Script(Path.Combine(name, "initdb"), "exit 0");
        return _folder[name];
    }
}

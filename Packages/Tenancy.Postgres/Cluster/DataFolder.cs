using System.Security.Cryptography;
using System.Text;

namespace Tenancy.Postgres.Cluster;

/// <summary>Where the local server keeps its data between runs.</summary>
internal static class DataFolder
{
    /// <summary>The name of this product's folders in the user's state and cache folders.</summary>
    public const string Product = "aspire-tenancy";

    /// <summary>
    /// The folder that was asked for; else <c>.postgres</c> in the AppHost's folder; else, where the server's user
    /// can't use that (it isn't let through to it, or the file system knows no permissions), one in the user's state
    /// folder, named after the AppHost's path and announced. A folder that holds data already goes before one that
    /// doesn't: permissions change, and data must not seem lost.
    /// </summary>
    /// <exception cref="NoPostgresException">No folder can be used.</exception>
    public static string Choose(
        string appHost, string? wanted, ServerAccount account, string stateHome, TextWriter announce)
    {
        if (!string.IsNullOrWhiteSpace(wanted))
        {
            var chosen = Path.GetFullPath(wanted, appHost);
            return Prepare(chosen, account) ? chosen : throw new NoPostgresException($"""
                PostgreSQL can't keep its data in '{chosen}' (Postgres:DataFolder): the user '{account.Name}', as whom it runs, may not write there,
                isn't let through a folder above, or the data there belongs to someone else. Name another folder, one that doesn't exist yet.
                """);
        }

        var (near, far) = (Near(appHost), Far(appHost, stateHome));
        string[] order = HasData(far) && !HasData(near) ? [far, near] : [near, far];
        var folder = order.FirstOrDefault(folder => Prepare(folder, account)) ?? throw new NoPostgresException($"""
            PostgreSQL can keep its data neither in '{near}' nor in '{far}': the user '{account.Name}', as whom it runs, can't use them.
            Name a folder for it with --Postgres:DataFolder=..., one that doesn't exist yet.
            """);
        if (folder == far)
        {
            announce.WriteLine(
                $"PostgreSQL keeps its data in {far}, because its user '{account.Name}' " +
                $"{(order[0] == far ? "couldn't" : "can't")} use {near}.");
        }

        return folder;
    }

    /// <summary>The folder for what programs remember: of the system for root, else of the user, as XDG says.</summary>
    public static string StateHome()
    {
        if (OperatingSystem.IsWindows())
        {
            return Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
        }

        return Environment.IsPrivilegedProcess ? "/var/lib"
            : Environment.GetEnvironmentVariable("XDG_STATE_HOME") is { Length: > 0 } state ? state
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state");
    }

    /// <summary>
    /// Makes the folder if there is none, and says whether the server's user can use it. Only what we made do we hand
    /// over to that user.
    /// </summary>
    public static bool Prepare(string folder, ServerAccount account)
    {
        var isNew = !Directory.Exists(folder);
        try
        {
            if (isNew)
            {
                account.LetThrough(Path.GetDirectoryName(folder)!);
                Directory.CreateDirectory(folder);
                account.Own(folder);
            }

            if (account.CanUse(folder) && (!isNew || KnowsPermissions(folder)))
            {
                return true;
            }
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return false;
        }

        if (isNew)
        {
            Directory.Delete(folder);
        }

        return false;
    }

    /// <summary>The folders that can hold the local data of an AppHost, and do. Nothing is made.</summary>
    public static IReadOnlyList<string> WithData(string appHost, string? wanted, string stateHome) =>
        [.. new[] { string.IsNullOrWhiteSpace(wanted) ? null : Path.GetFullPath(wanted, appHost), Near(appHost),
            Far(appHost, stateHome) }.OfType<string>().Distinct().Where(HasData)];

    private static string Near(string appHost) => Path.Combine(appHost, ".postgres");

    private static string Far(string appHost, string stateHome) => Path.Combine(stateHome, Product, Key(appHost));

    private static bool HasData(string folder) => Directory.Exists(Path.Combine(folder, "data"));

    // A Windows drive under WSL gives everything to everyone, whatever one sets, and PostgreSQL refuses such a folder.
    private static bool KnowsPermissions(string folder) => OperatingSystem.IsWindows()
        || File.GetUnixFileMode(folder) == (UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

    /// <summary>The folder's name among others' in a state folder.</summary>
    public static string Key(string appHost) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(appHost)))[..12];
}

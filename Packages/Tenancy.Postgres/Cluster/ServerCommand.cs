namespace Tenancy.Postgres.Cluster;

/// <summary>
/// The command that runs a cluster's server on the port in the environment variable <c>PGPORT</c>, on loopback only.
/// </summary>
internal sealed record ServerCommand(string File, IReadOnlyList<string> Arguments, string WorkingDirectory)
{
    /// <summary>
    /// The server ends with the process <paramref name="owner"/>, even when that is killed, by the script guard.sh.
    /// Windows has no such script: there the orchestrator alone ends the server.
    /// </summary>
    /// <param name="cluster">The data.</param>
    /// <param name="owner">The id of the process that the server lives for.</param>
    /// <param name="durable">False for data that nobody will miss: several times faster, and lost with the machine's
    /// power.</param>
    /// <param name="more">Settings that win over these, e.g. <c>max_connections=30</c>.</param>
    public static ServerCommand For(
        DatabaseCluster cluster, int owner, bool durable, IReadOnlyList<string>? more = null)
    {
        string[] settings =
        [
            "listen_addresses=localhost",           // both loopbacks: an orchestrator's proxy may come by either
            "unix_socket_directories=",             // a socket's path may have 107 bytes, a data folder's more
            "logging_collector=off",                // to the console, for the orchestrator to show
            // Tests run side by side, each with pools of its own.
            durable ? "max_connections=200" : "max_connections=400",
            "max_locks_per_transaction=256",        // the ceiling for all transactions together, and a tenant's schema takes 58
            .. durable ? Array.Empty<string>() : ["fsync=off", "synchronous_commit=off", "full_page_writes=off"],
            .. more ?? [],
        ];
        string[] server = [cluster.Binaries.Server, "-D", cluster.Data,
            .. settings.SelectMany(setting => new[] { "-c", setting })];
        return OperatingSystem.IsWindows()
            ? new(server[0], server[1..], cluster.Binaries.Folder)
            : new("sh", [Path.Combine(AppContext.BaseDirectory, "Tenancy.Postgres", "guard.sh"), $"{owner}",
                .. cluster.Account.Drop, .. server], "/");
    }
}

using LocalPostgres;
using LocalPostgres.Cluster;
using Microsoft.Extensions.Configuration;

namespace AppHost.Postgres;

/// <summary>The container engine that Aspire would use.</summary>
internal static class ContainerEngine
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>
    /// True when an engine, not merely its command line tool, answers within two seconds. Without an engine Aspire only warns, and
    /// everything that needs the container waits for ever.
    /// </summary>
    public static bool Answers(IConfiguration configuration)
    {
        var chosen = configuration["ASPIRE_CONTAINER_RUNTIME"] ?? configuration["DOTNET_ASPIRE_CONTAINER_RUNTIME"];
        string[] candidates = string.IsNullOrWhiteSpace(chosen) ? ["docker", "podman"] : [chosen];
        return candidates.AsParallel().WithDegreeOfParallelism(2).Any(Answers);
    }

    // `podman version` knows no server: on Linux podman is its own engine, and `info` is what needs it to work.
    private static bool Answers(string engine) => Command.Run(Patience, Path.GetFileNameWithoutExtension(engine) == "podman"
        ? [engine, "info"]
        : [engine, "version", "--format", "{{.Server.Version}}"]).Succeeded;
}

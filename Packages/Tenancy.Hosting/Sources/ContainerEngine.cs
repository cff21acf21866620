using Tenancy.Postgres.Cluster;
using Microsoft.Extensions.Configuration;

namespace Tenancy.Hosting.Sources;

/// <summary>A container engine that answers.</summary>
/// <param name="Command">Its command line tool: <c>docker</c>, <c>podman</c>, or what <c>ASPIRE_CONTAINER_RUNTIME</c>
/// names.</param>
internal sealed record ContainerEngine(string Command)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongPatience = TimeSpan.FromSeconds(10);

    /// <summary>The engine's name for people.</summary>
    public string Name => Path.GetFileNameWithoutExtension(Command);

    /// <summary>
    /// The engine that Aspire would use, if it answers within two seconds; else null. A command line tool without an
    /// engine is none: Aspire only warns then, and everything that needs the container waits for ever.
    /// </summary>
    public static ContainerEngine? Find(IConfiguration configuration)
    {
        var chosen = configuration["ASPIRE_CONTAINER_RUNTIME"] ?? configuration["DOTNET_ASPIRE_CONTAINER_RUNTIME"];
        string[] candidates = string.IsNullOrWhiteSpace(chosen) ? ["docker", "podman"] : [chosen];
        return candidates.AsParallel().AsOrdered().WithDegreeOfParallelism(2)
            .Select(command => new ContainerEngine(command))
            .Where(engine => engine.Answers())
            .FirstOrDefault();
    }

    /// <summary>Whether <see cref="Find"/> finds one.</summary>
    public static bool Answers(IConfiguration configuration) => Find(configuration) is not null;

    /// <summary>Whether the engine has a volume of that name.</summary>
    public bool HasVolume(string volume) => Run("volume", "inspect", volume).Succeeded;

    /// <summary>The running containers that have the volume, whoever started them.</summary>
    public IReadOnlyList<VolumeUser> UsersOf(string volume) =>
        Run("ps", "--filter", $"volume={volume}", "--format", "{{.Names}} {{.Labels}}") is { Succeeded: true } running
            ? [.. running.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(line =>
                    new VolumeUser(line.Split(' ')[0],
                        line.Contains("com.microsoft.developer.usvc-dev", StringComparison.Ordinal)))]
            : [];

    private Command Run(params IReadOnlyList<string> arguments) =>
        Tenancy.Postgres.Cluster.Command.Run(LongPatience, [Command, .. arguments]);

    // `podman version` knows no server: on Linux podman is its own engine, and `info` is what needs it to work.
    private bool Answers() => Tenancy.Postgres.Cluster.Command.Run(Patience, Name == "podman"
        ? [Command, "info"]
        : [Command, "version", "--format", "{{.Server.Version}}"]).Succeeded;
}

/// <summary>A running container that has a volume.</summary>
/// <param name="Container">Its name.</param>
/// <param name="IsAspires">Whether Aspire's orchestrator started it. It removes the container when its AppHost has
/// ended, and needs some seconds for that.</param>
internal sealed record VolumeUser(string Container, bool IsAspires);

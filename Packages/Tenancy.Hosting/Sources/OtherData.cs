using Tenancy.Postgres.Cluster;
using Microsoft.Extensions.Configuration;

namespace Tenancy.Hosting.Sources;

/// <summary>
/// Data of this AppHost in sources that this run doesn't use. A run with another source starts with other customers,
/// and its user must not believe that the first ones are lost. The AppHost warns and starts: nothing is deleted, and
/// the user may have meant it.
/// </summary>
internal static class OtherData
{
    /// <summary>Local data, while a container or a connection string is used.</summary>
    public static IReadOnlyList<string> InFolders(
        IDistributedApplicationBuilder builder, DatabaseSource.State state) =>
            [.. DataFolder.WithData(builder.AppHostDirectory, builder.Configuration["Postgres:DataFolder"], state.Home)
                .Select(folder =>
                    $"The folder '{folder}' holds data of this AppHost too, made by a local server. This run doesn't " +
                    "show that data. To use it: --Postgres:Use=local")];

    /// <summary>A container volume, while a local server or a connection string is used.</summary>
    /// <param name="engine">The engine, or null if none answers.</param>
    /// <param name="volume">The volume that a container would use now.</param>
    /// <param name="memory">The file of <see cref="UsedVolume"/>, or null to use none.</param>
    public static IReadOnlyList<string> InVolumes(ContainerEngine? engine, string volume, string? memory)
    {
        var used = memory is null ? null : UsedVolume.Read(memory);
        if (used is { WasLast: true })
        {
            (used with { WasLast = false }).Write(memory!);
        }

        if (engine is not null)
        {
            var found = new[] { volume, used?.Volume }.OfType<string>().Distinct().Where(engine.HasVolume).ToArray();
            if (used is not null && !found.Contains(used.Volume))
            {
                UsedVolume.Forget(memory!);
            }

            return [.. found.Select(one =>
                $"The container volume '{one}' holds data of this AppHost too. This run doesn't show that data. "
                + $"To use it: --Postgres:Use=container{(one == volume ? "" : $" --Postgres:DataVolume={one}")}")];
        }

        return used is null ? [] :
        [
            $"""
            {(used.WasLast ? "The last run" : "An earlier run")} of this AppHost kept its data in the container volume '{used.Volume}', and {used.Engine} doesn't answer now. This run doesn't show that data; it isn't lost.
            To use it, start {used.Engine} and then this AppHost again. To forget it, delete '{memory}'.
            """,
        ];
    }
}

using System.Collections.Immutable;

namespace Tenancy.Hosting.Local;

/// <summary>
/// How the server looks in the dashboard: the PostgreSQL program and its data, not the script that guards it.
/// </summary>
internal static class ServerAppearance
{
    /// <summary>
    /// The orchestrator writes the real command line at each of its updates. What it writes is replaced each time,
    /// until the AppHost ends.
    /// </summary>
    /// <param name="notifications">The AppHost's.</param>
    /// <param name="server">The resource.</param>
    /// <param name="program">The path of the program <c>postgres</c>.</param>
    /// <param name="data">The path of its data.</param>
    /// <param name="ct">The end of the AppHost.</param>
    public static async Task KeepReadableAsync(
        ResourceNotificationService notifications, IResource server, string program, string data, CancellationToken ct)
    {
        ImmutableArray<string> arguments = ["-D", data];
        (string Name, object Value)[] shown =
        [
            ("executable.path", program), ("executable.args", arguments),
            ("resource.appArgs", arguments), ("resource.appArgsSensitivity", ImmutableArray.Create(0, 0)),
        ];
        try
        {
            await foreach (var seen in notifications.WatchAsync(ct))
            {
                if (seen.Resource == server && Find(seen.Snapshot, shown[0].Name).Value is { } path
                    && !program.Equals(path))
                {
                    await notifications.PublishUpdateAsync(server, seen.ResourceId, snapshot => snapshot with
                    {
                        Properties =
                        [
                            .. snapshot.Properties.Where(property => shown.All(one => one.Name != property.Name)),
                            .. shown.Select(one =>
                                Find(snapshot, one.Name) with { Value = one.Value, IsSensitive = false }),
                        ],
                    });
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The AppHost ends.
        }
    }

    private static ResourcePropertySnapshot Find(CustomResourceSnapshot snapshot, string name) =>
        snapshot.Properties.FirstOrDefault(property => property.Name == name) ?? new(name, null);
}

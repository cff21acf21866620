using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Tenancy.Hosting.Sources;

/// <summary>Tells in the AppHost's console and in the dashboard where the database comes from and why.</summary>
internal static partial class SourceTelling
{
    /// <summary>The property of the database's resource in the dashboard.</summary>
    public const string Property = "database.source";

    /// <summary>Tells it at the start.</summary>
    /// <param name="database">The database.</param>
    /// <param name="source">The one line.</param>
    /// <param name="warnings">Asked for at the start: data in sources that this run doesn't use.</param>
    public static IResourceBuilder<T> Tell<T>(
        this IResourceBuilder<T> database, string source, Func<IReadOnlyList<string>> warnings)
        where T : IResource
    {
        database.ApplicationBuilder.Eventing.Subscribe<BeforeStartEvent>(async (start, ct) =>
        {
            var console = start.Services.GetRequiredService<ILoggerFactory>()
                .CreateLogger(typeof(TenancyHosting).Namespace!);
            var dashboard = start.Services.GetRequiredService<ResourceLoggerService>().GetLogger(database.Resource);
            LogSource(console, source);
            LogSource(dashboard, source);
            foreach (var warning in warnings())
            {
                LogOtherData(console, warning);
                LogOtherData(dashboard, warning);
            }

            await start.Services.GetRequiredService<ResourceNotificationService>().PublishUpdateAsync(
                database.Resource,
                snapshot => snapshot with { Properties = snapshot.Properties.Add(new(Property, source)) });
        });
        return database;
    }

    [LoggerMessage(1, LogLevel.Information, "{Source}")]
    private static partial void LogSource(ILogger logger, string source);

    [LoggerMessage(2, LogLevel.Warning, "{Warning}")]
    private static partial void LogOtherData(ILogger logger, string warning);
}

using System.Reflection;
using AppHost.Replicas;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace AppHost.Failures;

internal static class PlainFailures
{
    /// <summary>
    /// Tells failures plainly: before the start, which port is taken; later, which resource failed, why, and what to
    /// do. After the repair, those that had given up waiting are started. In run mode only.
    /// </summary>
    /// <param name="builder">The application.</param>
    /// <param name="job">The job, whose isolated failures are shown on it.</param>
    public static IDistributedApplicationBuilder WithPlainFailures(
        this IDistributedApplicationBuilder builder, IResourceBuilder<ProjectResource> job)
    {
        if (!builder.ExecutionContext.IsRunMode)
        {
            return builder;
        }

        CannotStartException.IsShownPlainly();
        builder.OnBeforeStart((start, ct) =>
            BeforeStart.CheckAsync(builder.Configuration, start.Model, builder.AppHostAssembly, ct));
        builder.Services.AddSingleton<ReplicaStates>();
        builder.Services.AddSingleton(services => new IsolatedFailures(
            services.GetRequiredService<ResourceNotificationService>(), services, job.Resource));
        // The first of the hosted services: the start of Aspire's own ends only when no resource waits for another any
        // more, and a failure may be what they wait for.
        builder.Services.Insert(0, ServiceDescriptor.Singleton<IHostedService, FailureReports>());
        // The host logs why it couldn't start and then throws the same exception, so it would be told twice; and Ctrl+C
        // during the start would be told as a failure.
        builder.Services.AddLogging(logging =>
            logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical));
        return builder;
    }
}

using System.Reflection;
using Microsoft.Extensions.DependencyInjection;

namespace AppHost.Failures;

internal static class PlainFailures
{
    /// <summary>
    /// Tells failures plainly: before the start, which port is taken; later, which resource failed, why, and what to
    /// do. After the repair, those
    /// that had given up waiting are started. In run mode only.
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
        builder.Services.AddSingleton(services => new IsolatedFailures(
            services.GetRequiredService<ResourceNotificationService>(), services, job.Resource));
        builder.Services.AddHostedService<FailureReports>();
        return builder;
    }
}

using System.Globalization;
using AppHost.Failures;
using Microsoft.Extensions.Configuration;

namespace AppHost.Replicas;

/// <summary>How many processes a project has.</summary>
internal static class ReplicaCount
{
    private const string Section = "Replicas";
    private const int Most = 16;

    /// <summary>
    /// Starts as many processes of the project as <c>Replicas:NAME</c> says, e.g. <c>--Replicas:Api=2</c>. Default: 1.
    /// In run mode only: a published program is started as often as its administrator likes.
    /// </summary>
    public static IResourceBuilder<ProjectResource> WithConfiguredReplicas(
        this IResourceBuilder<ProjectResource> project)
    {
        if (!project.ApplicationBuilder.ExecutionContext.IsRunMode)
        {
            return project;
        }

        project.WithAnnotation(new MayHaveReplicas());
        // Check says it when the number is wrong, before anything starts.
        return Read(project.ApplicationBuilder.Configuration[$"{Section}:{project.Resource.Name}"]) is { } count
            ? project.WithReplicas(count)
            : project;
    }

    /// <exception cref="CannotStartException">A number is wrong, or its resource has one process.</exception>
    public static void Check(IConfiguration configuration, DistributedApplicationModel model)
    {
        var names = model.Resources.Where(resource => resource.Annotations.OfType<MayHaveReplicas>().Any())
            .Select(resource => resource.Name).ToList();
        foreach (var setting in configuration.GetSection(Section).GetChildren())
        {
            if (!names.Contains(setting.Key, StringComparer.OrdinalIgnoreCase))
            {
                throw new CannotStartException(
                    $"{Section}:{setting.Key} can't be set: only {string.Join(" and ", names)} can have replicas. " +
                    "A page of the console belongs to one process, and the AppHost's proxy sends a connection to any.");
            }

            if (Read(setting.Value) is null)
            {
                throw new CannotStartException(
                    $"{Section}:{setting.Key} is '{setting.Value}'. Give a number of processes from 1 to {Most}.");
            }
        }
    }

    private static int? Read(string? text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count is >= 1 and <= Most
            ? count
            : null;

    private sealed record MayHaveReplicas : IResourceAnnotation;
}

using System.Diagnostics;
using Aspire.Hosting.Pipelines;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AppHost.Deployment;

/// <summary>
/// What <c>aspire publish</c> writes: each program in a folder of its own, an example of its settings, systemd units,
/// and the page that says how to run them. There is no publisher for containers among the packages, so without this the
/// command would succeed and write nothing.
/// </summary>
internal static partial class PublishedPrograms
{
    private const string Page = "docs/deploy.md";

    /// <summary>
    /// Adds the step <c>publish-programs</c>. <c>Publish:Arguments</c> are passed on to each <c>dotnet publish</c>,
    /// e.g. <c>--runtime linux-arm64 --self-contained</c>. <c>aspire deploy</c> fails and names the page: the
    /// application doesn't know your machines.
    /// </summary>
    public static void PublishPrograms(this IDistributedApplicationBuilder builder)
    {
        builder.Pipeline.AddStep("publish-programs", PublishAsync, requiredBy: WellKnownPipelineSteps.Publish);
        builder.Pipeline.AddStep("deploy-programs", _ => throw new InvalidOperationException(
            "Nothing was deployed: this AppHost has no deployment target. Run 'aspire publish -o out' and " +
            $"follow {Page}."), requiredBy: WellKnownPipelineSteps.Deploy);
    }

    private static async Task PublishAsync(PipelineStepContext context)
    {
        var output = Path.GetFullPath(
            context.Services.GetRequiredService<IPipelineOutputService>().GetOutputDirectory());
        var more = context.Services.GetRequiredService<IConfiguration>()["Publish:Arguments"]?.Split(
            ' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        foreach (var program in context.Model.GetProjectResources())
        {
            var project = Path.GetDirectoryName(program.GetProjectMetadata().ProjectPath)!;
            LogPublishing(context.Logger, Path.GetFileName(project), Path.Combine(output, program.Name));
            await RunAsync(["publish", project, "--output", Path.Combine(output, program.Name), "--nologo", .. more],
                context.CancellationToken);
        }

        foreach (var file in Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Deployment", "Files")))
        {
            File.Copy(file, Path.Combine(output, Path.GetFileName(file)), overwrite: true);
        }

        context.Summary.Add("Output", output);
        context.Summary.Add("Next", $"Follow {Path.Combine(output, "deploy.md")}");
    }

    /// <exception cref="InvalidOperationException">It failed; the message is what it wrote.</exception>
    private static async Task RunAsync(string[] arguments, CancellationToken ct)
    {
        using var dotnet = Process.Start(
            new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        try
        {
            var (said, errors) = (dotnet.StandardOutput.ReadToEndAsync(ct), dotnet.StandardError.ReadToEndAsync(ct));
            await dotnet.WaitForExitAsync(ct);
            if (dotnet.ExitCode != 0)
            {
                throw new InvalidOperationException(
                    $"'dotnet {string.Join(' ', arguments)}' ended with " +
                    $"{dotnet.ExitCode}.{Environment.NewLine}{await said}{await errors}");
            }
        }
        finally
        {
            if (!dotnet.HasExited)
            {
                dotnet.Kill(entireProcessTree: true);
            }
        }
    }

    [LoggerMessage(LogLevel.Information, "dotnet publish {Project} --output {Output}")]
    private static partial void LogPublishing(ILogger log, string project, string output);
}

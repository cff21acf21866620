using System.Collections.Immutable;
using System.Diagnostics;
using System.Text;
using AppHost.Replicas;
using Microsoft.Extensions.DependencyInjection;

namespace AppHost.Commands;

/// <summary>How a command of the job ended, and what it wrote.</summary>
/// <param name="ExitCode">0 when it did what it was asked for.</param>
/// <param name="Answer">Standard output.</param>
/// <param name="Errors">Standard error: warnings and errors of the log.</param>
internal sealed record JobResult(int ExitCode, string Answer, string Errors)
{
    /// <summary>Both, without empty lines at the end.</summary>
    public string Output => $"{Answer.Trim()}{Environment.NewLine}{Errors.Trim()}".Trim();
}

/// <summary>
/// Runs the commands of the migration job, as the resource <c>migrations</c> runs: same build, same connection strings,
/// same telemetry.
/// </summary>
internal static class JobProcess
{
    /// <summary>The build puts every project beside the others: artifacts/bin/MigrationService/debug.</summary>
    private static string Assembly { get; } = Path.GetFullPath(Path.Combine(
        AppContext.BaseDirectory, "..", "..", "MigrationService",
        Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), "MigrationService.dll"));

    /// <summary>Runs one command to its end.</summary>
    /// <param name="services">The AppHost's.</param>
    /// <param name="resource">The job's resource. It must have been started once: its environment is known from then
    /// on.</param>
    /// <param name="arguments">The command and its options.</param>
    /// <param name="ct">Kills the process. The job is safe against that: what isn't committed is rolled back.</param>
    /// <exception cref="InvalidOperationException">The resource hasn't been started yet, or the job isn't
    /// built.</exception>
    public static async Task<JobResult> RunAsync(
        IServiceProvider services, IResource resource, string[] arguments, CancellationToken ct)
    {
        using var process = new Process { StartInfo = Command(Environment(services, resource), arguments) };
        process.Start();
        var (answer, errors) = (process.StandardOutput.ReadToEndAsync(ct), process.StandardError.ReadToEndAsync(ct));
        try
        {
            await process.WaitForExitAsync(ct);
            return new(process.ExitCode, await answer, await errors);
        }
        catch (OperationCanceledException)
        {
            // It has no children. To kill a tree, .NET first stops each process of it, and an AppHost that ends in
            // between would leave the job stopped for ever.
            process.Kill();
            throw;
        }
    }

    /// <summary>
    /// The orchestrator tells what it started a process with, resolved: connection strings, telemetry's address and
    /// names.
    /// </summary>
    private static ImmutableArray<EnvironmentVariableSnapshot> Environment(
        IServiceProvider services, IResource resource)
    {
        var started = services.GetRequiredService<ReplicaStates>().Of(resource)
            .FirstOrDefault(state => state.Snapshot.EnvironmentVariables.Length > 0);
        return started?.Snapshot.EnvironmentVariables
            ?? throw new InvalidOperationException($"{resource.Name} hasn't been started yet. Wait until it runs.");
    }

    private static ProcessStartInfo Command(ImmutableArray<EnvironmentVariableSnapshot> environment, string[] arguments)
    {
        if (!File.Exists(Assembly))
        {
            throw new InvalidOperationException($"The job isn't built: there is no {Assembly}. Run 'dotnet build'.");
        }

        var start = new ProcessStartInfo("dotnet", [Assembly, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        start.Environment.Clear();
        foreach (var variable in environment)
        {
            start.Environment[variable.Name] = variable.Value;
        }

        return start;
    }
}

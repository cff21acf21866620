using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Spectre.Console;

namespace Tenancy.Cli.Commands;

/// <summary>Moves a tenant to another node of a Citus cluster.</summary>
internal static class MoveCommand
{
    public static Command Create(FleetCommands commands, FleetArguments arguments, string noun)
    {
        var slug = new Argument<string>("slug") { Description = $"The {noun}'s slug" };
        var to = new Option<string>("--to")
        {
            Description = "The node, as the coordinator knows it", HelpName = "host:port", Required = true,
        };
        return commands.Does(
            FleetCommands.Add(
                new Command("move",
                    $"Moves a {noun} to another node of a Citus cluster, while it is served. No migration of it runs " +
                    "meanwhile.") { slug },
                [to, arguments.LockTimeout, arguments.StatementTimeout]),
            reports: true, async job =>
            {
                var wanted = job.Parsed.GetValue(slug)!;
                try
                {
                    var moved = await job.Services.GetRequiredService<TenantMove>().MoveAsync(
                        wanted, TenantNode.Parse(job.Parsed.GetValue(to)!), Limits(job), new Words(), job.Stop)
                        ?? throw new UsageException($"No {noun} has the slug '{wanted}'.");
                    job.Output.WriteLine(moved.Moved
                        ? string.Create(CultureInfo.InvariantCulture,
                            $"{wanted} moved from {moved.From} to {moved.To}: {Size(moved.Bytes)} in " +
                            $"{moved.Elapsed.TotalSeconds:0.0} s.")
                        : $"{wanted} is on {moved.To} already.");
                    return ExitCode.Done;
                }
                catch (Exception e) when (e is FormatException or TenantMoveException { InnerException: null })
                {
                    throw new UsageException(e.Message, e);
                }
                catch (Exception e) when (e is TenantMoveException or TenantInUseException)
                {
                    job.Output.WriteLine(e.Message);
                    return ExitCode.TenantsFailed;
                }
            });
    }

    private static TenantMoveLimits Limits(JobContext job) => new()
    {
        LockTimeout = Milliseconds(job.Parsed.GetValue(job.Arguments.LockTimeout)),
        StatementTimeout = Milliseconds(job.Parsed.GetValue(job.Arguments.StatementTimeout)),
    };

    private static TimeSpan? Milliseconds(int? given) =>
        given is { } limit ? TimeSpan.FromMilliseconds(limit) : null;

    private static string Size(long bytes) =>
        string.Create(CultureInfo.InvariantCulture, $"{bytes / (1024.0 * 1024):0.0} MB");

    /// <summary>A line on standard error for each phase, and while rows are copied for each second.</summary>
    private sealed class Words : IProgress<TenantMoveProgress>
    {
        private TenantMoveProgress? _last;

        public void Report(TenantMoveProgress value)
        {
            if (value != _last)
            {
                Console.Error.WriteLine($"{value.Phase}: {Size(value.Copied)} of {Size(value.Total)}");
                _last = value;
            }
        }
    }
}

using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Spectre.Console;

namespace Tenancy.Cli.Commands;

/// <summary>Drops a tenant, and removes those whose time is over.</summary>
internal static class RemovalCommands
{
    public static IEnumerable<Command> All(FleetCommands commands, string noun) =>
        [Drop(commands, noun), Reconcile(commands, noun)];

    private static Command Drop(FleetCommands commands, string noun)
    {
        var slug = new Argument<string>("slug") { Description = $"The {noun}'s slug" };
        var confirm = new Option<string>("--confirm")
        {
            Description = "The slug once more", HelpName = "slug", Required = true,
        };
        var days = new Option<double>("--grace-days")
        {
            Description = $"How long the {noun} can be taken back by resume. 0 removes it with the next reconcile",
            HelpName = "days", DefaultValueFactory = _ => TenantRemoval.Grace.TotalDays,
        };
        return commands.Does(
            new Command("drop", $"Archives a {noun}, and removes its rows for good when its time is over.")
            {
                slug, confirm, days,
            }, reports: true, async job =>
            {
                var wanted = job.Parsed.GetValue(slug)!;
                var grace = job.Parsed.GetValue(days);
                if (!(grace >= 0 && grace <= 3660))
                {
                    throw new UsageException("--grace-days has to be from 0 to 3660.");
                }

                try
                {
                    var after = await job.Services.GetRequiredService<TenantRemoval>().DropAsync(
                        wanted, job.Parsed.GetValue(confirm)!, TimeSpan.FromDays(grace), job.Stop)
                        ?? throw new UsageException($"No {noun} has the slug '{wanted}'.");
                    job.Output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                        $"{wanted} is archived, and is removed after {after.UtcDateTime:yyyy-MM-dd HH:mm} UTC by the ") +
                        "next run or reconcile. Until then, resume takes it back.");
                    return ExitCode.Done;
                }
                catch (ArgumentException e) when (e is not ArgumentOutOfRangeException)
                {
                    throw new UsageException(e.Message.Split(" (Parameter", 2)[0], e);
                }
                catch (TenantInUseException e)
                {
                    job.Output.WriteLine(e.Message);
                    return ExitCode.TenantsFailed;
                }
            });
    }

    private static Command Reconcile(FleetCommands commands, string noun) => commands.Does(
        new Command("reconcile",
            $"Removes the {noun}s that were dropped and whose time is over, and finishes what an interruption left. " +
            "A run of migrate does it, too."), reports: true, async job =>
        {
            var report = await job.Services.GetRequiredService<TenantRemoval>().ReconcileAsync(job.Stop);
            foreach (var schema in report.Removed)
            {
                job.Output.WriteLine($"Removed {schema}.");
            }

            foreach (var (schema, error) in report.Failed)
            {
                job.Output.WriteLine($"Not removed: {schema}: {error}");
            }

            if (report.Removed.Count + report.Failed.Count == 0)
            {
                job.Output.WriteLine("Nothing is left to remove.");
            }

            return report.Failed.Count == 0 ? ExitCode.Done : ExitCode.TenantsFailed;
        });
}

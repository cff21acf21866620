using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Spectre.Console;

namespace Tenancy.Cli.Commands;

/// <summary>Moves a tenant to another database, or to another node of a Citus cluster.</summary>
internal static class MoveCommand
{
    public static Command Create(FleetCommands commands, FleetArguments arguments, string noun)
    {
        var slug = new Argument<string>("slug") { Description = $"The {noun}'s slug" };
        var to = new Option<string>("--to")
        {
            Description = "A node, as the coordinator knows it", HelpName = "host:port",
        };
        var database = new Option<string>("--to-database")
        {
            Description = $"A database; {TenancyOptions.FirstDatabase} is the first one", HelpName = "name",
        };
        var command = new Command("move",
            $"Moves a {noun} to another database, or to another node of a Citus cluster. Between databases it isn't " +
            "served meanwhile; its rows are copied and compared. Between nodes it is served. Run again, it goes on.")
        {
            slug,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(to) is null == result.GetResult(database) is null)
            {
                result.AddError("Say where: --to HOST:PORT or --to-database NAME.");
            }
        });
        return commands.Does(
            FleetCommands.Add(command, [to, database, arguments.LockTimeout, arguments.StatementTimeout]),
            reports: true, async job =>
            {
                var wanted = job.Parsed.GetValue(slug)!;
                if (job.Parsed.GetValue(database) is { } name)
                {
                    return await MoveToDatabaseAsync(
                        job, noun, wanted, name == TenancyOptions.FirstDatabase ? null : name);
                }

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

    private static async Task<ExitCode> MoveToDatabaseAsync(
        JobContext job, string noun, string slug, string? database)
    {
        var named = database is null ? "the first database" : $"the database '{database}'";
        try
        {
            var moved = await job.Services.GetRequiredService<TenantDatabaseMove>().MoveAsync(slug, database, job.Stop)
                ?? throw new UsageException($"No {noun} has the slug '{slug}'.");
            job.Output.WriteLine(moved.From is null
                ? $"{slug} is in {named} already."
                : string.Create(CultureInfo.InvariantCulture,
                    $"{slug} moved to {named}: {moved.Rows.Values.Sum()} rows of {moved.Rows.Count} tables in ")
                    + string.Create(CultureInfo.InvariantCulture, $"{moved.Elapsed.TotalSeconds:0.0} s.")
                    + $" Its schema is {moved.Tenant.Schema}. The next run or reconcile removes the old one.");
            if (moved.MigrationError is not { } error)
            {
                return ExitCode.Done;
            }

            job.Output.WriteLine($"It isn't served: it has an older version, and its migration failed. {error}");
            return ExitCode.TenantsFailed;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw new UsageException(e.Message.Split(" (Parameter", 2)[0], e);
        }
        catch (Exception e) when (e is TenantTransferException or TenantInUseException)
        {
            job.Output.WriteLine(e.Message);
            return ExitCode.TenantsFailed;
        }
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

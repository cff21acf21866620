using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Cli.Reports;
using Tenancy.Cli.Runs;

namespace Tenancy.Cli.Commands;

/// <summary>Does a task for every tenant, and says how far the tasks are.</summary>
internal sealed class TaskCommands(FleetCommands commands, FleetArguments arguments, string noun)
{
    private readonly Argument<string?> _name = new("name")
    {
        Description = "A task that the application has registered; without it --sql", Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string?> _sql = new("--sql")
    {
        Description = $"""A file of SQL that names the {noun}'s schema "__Tenant__" """.TrimEnd(), HelpName = "file",
    };

    private readonly Option<string?> _as = new("--name")
    {
        Description = "The name under which the file's task is recorded. Default: the file's, without its extension",
    };

    private readonly Option<bool> _retry = new("--retry")
    {
        Description = $"Only {noun}s whose last attempt failed, once what was wrong is mended",
    };

    private readonly Option<int?> _workers = FleetArguments.Whole("--workers",
        $"How many {noun}s are done at the same time, each over two connections", new FleetPlan().Workers, 1, 64);

    private readonly Option<OnFailure> _onFailure = new("--on-failure")
    {
        Description =
            $"fail: exit with 1 if {noun}s failed, halt when more failed than their ring allows (none in ring 0, " +
            $"1 % later); isolate: go on with the others of the ring and exit with 0",
        DefaultValueFactory = _ => OnFailure.Fail,
    };

    public IEnumerable<Command> All() => [Run(), List()];

    private Command Run() => commands.DoesInEach(
        new Command("task", $"Does a task once for every {noun}, ring after ring. Who has done it is left out.")
        {
            _name, _sql, _as, arguments.Tenant, arguments.Ring, _retry, _workers, arguments.LockTimeout,
            arguments.StatementTimeout, _onFailure, arguments.LogEvery,
        }, reports: false, async job =>
        {
            var task = Find(job);
            var plan = await job.PlanAsync() with
            {
                OnlyFailed = job.Parsed.GetValue(_retry),
                Workers = job.Parsed.GetValue(_workers) ?? new FleetPlan().Workers,
                Isolate = job.Parsed.GetValue(_onFailure) == OnFailure.Isolate,
            };
            return await job.Services.GetRequiredService<TaskJob>()
                .RunAsync(task, plan, job.Display("done"), job.Stop, job.Abort);
        });

    /// <exception cref="UsageException">There is no such task, or the file can't be one.</exception>
    private TenantTask Find(JobContext job)
    {
        var (name, path, given) = (job.Parsed.GetValue(_name), job.Parsed.GetValue(_sql), job.Parsed.GetValue(_as));
        if (name is null == path is null)
        {
            throw new UsageException("Say which task: task NAME, or task --sql FILE.");
        }

        if (path is null && given is not null)
        {
            throw new UsageException("--name belongs to --sql: a registered task has its name.");
        }

        try
        {
            return path is null
                ? job.Services.GetRequiredService<TenantTasks>().Find(name!)
                : TenantTask.FromSqlFile(path, given);
        }
        catch (FormatException e)
        {
            throw new UsageException($"{e.Message} --name names the task otherwise.", e);
        }
        catch (ArgumentException e) when (path is null)
        {
            throw new UsageException(e.Message.Split(" (Parameter", 2)[0], e);
        }
        catch (ArgumentException e)
        {
            throw new UsageException($"{path} has no statement.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException(e.Message, e);
        }
    }

    private Command List()
    {
        var command = new Command(
            "tasks", $"How many {noun}s have done each task, failed or are left, and what the last failure said.");
        Array.ForEach(arguments.Report, command.Options.Add);
        return commands.DoesInEach(command, reports: true, async job =>
        {
            var tasks = await job.Services.GetRequiredService<TenantTasks>().StatusAsync(job.Stop);
            commands.Answer(job, () => new { tasks }, report => TasksReport.Write(report, noun, tasks));
            return ExitCode.Done;
        });
    }
}

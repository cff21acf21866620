using System.CommandLine;
using System.Data.Common;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using Npgsql;
using Spectre.Console;
using Tenancy.Cli.Runs;
using Tenancy.Databases;
using Tenancy.Doctor;
using Tenancy.Registries;

namespace Tenancy.Cli.Commands;

/// <summary>A command's input: services, arguments, console, and two tokens that end it.</summary>
/// <param name="Services">A scope's.</param>
/// <param name="Arguments">The options that commands share.</param>
/// <param name="Parsed">The command line.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Stop">The first Ctrl+C, or the orchestrator: end after the groups in hand.</param>
/// <param name="Abort">The second: end now, what is in hand is rolled back.</param>
internal sealed record JobContext(
    IServiceProvider Services, FleetArguments Arguments, ParseResult Parsed, IAnsiConsole Output,
    CancellationToken Stop, CancellationToken Abort)
{
    /// <summary>The database whose services these are; null for the first one.</summary>
    public string? Database { get; init; }

    /// <summary>Takes the JSON answers of several databases, which are one document; null where there is one.</summary>
    public List<object>? Answers { get; init; }

    /// <summary>The plan of the command line, with the schemas of the tenants that it names.</summary>
    /// <exception cref="UsageException">A tenant or a migration isn't there.</exception>
    public async Task<FleetPlan> PlanAsync(Option<string>? to = null) =>
        Arguments.Plan(Parsed,
            await Services.GetRequiredService<NamedTenants>()
                .FindAsync(Parsed.GetValue(Arguments.Tenant) ?? [], Stop)) with
        {
            To = Migration(Parsed.GetValue(to ?? Arguments.To)),
        };

    /// <summary>A migration's id, by id or name; null for null.</summary>
    /// <exception cref="UsageException">There is none.</exception>
    public string? Migration(string? named)
    {
        try
        {
            return named is null ? null
                : Services.GetRequiredService<CompiledMigrations>().Find(named) is { Length: > 0 } id ? id
                : "0";
        }
        catch (ArgumentException e)
        {
            throw new UsageException(e.Message.Split(" (Parameter", 2)[0], e);
        }
    }

    /// <param name="done">What happens to a tenant.</param>
    public RunDisplay Display(string done = "migrated") => new(
        Output, Services.GetRequiredService<ILogger<RunDisplay>>(), Parsed.GetValue(Arguments.LogEvery) ?? 500,
        Services.GetRequiredService<TimeProvider>(), Services.GetRequiredService<JobSettings>().Noun, done);
}

/// <summary>
/// Runs a command inside a started host (telemetry needs one) and turns every way it can end into an exit code.
/// </summary>
internal static partial class JobHost
{
    private static readonly ActivitySource Source = new(TenancyTelemetry.Name);

    /// <param name="settings">The application's.</param>
    /// <param name="arguments">The options that commands share.</param>
    /// <param name="parsed">The command line.</param>
    /// <param name="reports">The command's output is its answer, so logs go to standard error, and only
    /// warnings.</param>
    /// <param name="command">What to do.</param>
    /// <param name="ct">The first Ctrl+C or SIGTERM.</param>
    public static async Task<int> RunAsync(
        JobSettings settings, FleetArguments arguments, ParseResult parsed, bool reports,
        Func<JobContext, Task<ExitCode>> command, CancellationToken ct)
    {
        var console = AnsiConsole.Console;
        if (!console.Profile.Capabilities.Interactive)
        {
            // Nobody's window: a program or a file reads it, and lines broken at 80 characters are of no use to either.
            console.Profile.Width = 400;
        }

        var interactive = console.Profile.Capabilities.Interactive;
        using var host = settings.Build(services => Adjust(services, settings, reports, interactive));
        await using var scope = host.Services.CreateAsyncScope();
        var log = host.Services.GetRequiredService<ILogger<MigrationJob>>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(
            ct, host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping);
        // Not disposed of: a signal may come at the very end.
        var abort = new CancellationTokenSource();
        using var again = OnSecondSignal(abort);
        Activity? run = null;
        try
        {
            await host.StartAsync(ct);
            // The trace of all that the command does, its last words included.
            run = Source.StartActivity(
                parsed.CommandResult.Command is RootCommand ? "migrate" : parsed.CommandResult.Command.Name);
            var code = End(run, await command(new(
                scope.ServiceProvider, arguments, parsed, console, stop.Token, abort.Token)));
            // For the gauges: what the command has changed, before the telemetry is flushed.
            await host.Services.GetRequiredService<FleetMonitor>().LookAsync(CancellationToken.None);
            return code;
        }
        catch (Exception e)
        {
            return End(run, await TellAsync(log, e, reports, settings.Noun));
        }
        finally
        {
            // Telemetry is flushed here. And what runs beside the command has ended before the process does: a thread
            // that still opens a connection, in Kerberos' native code, would abort it, whatever the exit code was.
            await StopAsync(host, log);
        }
    }

    private static async Task StopAsync(IHost host, ILogger log)
    {
        try
        {
            await host.StopAsync(CancellationToken.None);
        }
        catch (Exception e)
        {
            // What the command has done is done, and its exit code says it.
            LogNotStopped(log, e);
        }
    }

    private static void Adjust(IServiceCollection services, JobSettings settings, bool reports, bool interactive)
    {
        // Which of the database's types are known is said once, by what serves: a job that has nothing to do asks for
        // nothing but that. And nobody waits in front of a screen: a server that is slow to answer is waited for.
        services.PostConfigure<TenancyOptions>(options =>
            (options.LoadTypes, options.ConnectTimeout) = (options.LoadTypes ?? false, TimeSpan.FromSeconds(15)));
        // A run says what is wrong with the build, and `check` all of it; and a job serves nobody.
        foreach (var one in services.Where(one => one.ImplementationType == typeof(MigrationsCheck)
            || one.ImplementationType == typeof(DirectoryListener)
            || one.ImplementationType == typeof(DoctorMonitor)).ToList())
        {
            services.Remove(one);
        }

        services.AddSingleton(settings).AddScoped<MigrationJob>().AddScoped<SharedMigrations>()
            .AddScoped<NamedTenants>().AddScoped<TaskJob>().AddScoped<RunEnding>()
            .PerDatabase(typeof(MigrationJob), typeof(SharedMigrations), typeof(NamedTenants), typeof(TaskJob));
        if (reports || interactive)
        {
            services.Configure<ConsoleLoggerOptions>(options => options.LogToStandardErrorThreshold = LogLevel.Trace);
        }

        services.AddLogging(logging =>
        {
            if (interactive)
            {
                // The bar is there; lines between its frames would tear it.
                logging.AddFilter("Tenancy", LogLevel.Warning);
            }

            if (reports)
            {
                logging.SetMinimumLevel(LogLevel.Warning).AddFilter((_, level) => level >= LogLevel.Warning);
            }
        });
    }

    /// <summary>Says why the command ended, and finds the exit code for it.</summary>
    internal static async Task<ExitCode> TellAsync(ILogger log, Exception error, bool reports, string noun)
    {
        switch (error)
        {
            case OperationCanceledException:
                LogCancelled(log);
                return ExitCode.Cancelled;
            case UsageException:
                await Console.Error.WriteLineAsync(error.Message);
                return ExitCode.Usage;
            case TenantMigrationException:
                LogBuildFailed(log, noun, error.Message);
                return ExitCode.BuildFailed;
            case PostgresException e
                when reports
                    && e.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName:
                await Console.Error.WriteLineAsync(
                    $"The database has no ledger yet ({e.MessageText}): run migrate first.");
                return ExitCode.DatabaseFailed;
            case OptionsValidationException:
                LogNotConfigured(log, error.Message);
                return ExitCode.DatabaseFailed;
            default:
                // Whatever it was: nothing says that the tenants are migrated, so nothing may say that only tenants
                // failed. EF wraps what the server said; the login's words say more than the server's.
                LogDatabaseFailed(
                    log, error,
                    (error is TenantLoginException ? error : error.InnerException as DbException ?? error).Message);
                return ExitCode.DatabaseFailed;
        }
    }

    private static int End(Activity? run, ExitCode code)
    {
        run?.SetTag("process.exit.code", (int)code)
            .SetStatus(code == ExitCode.Done ? ActivityStatusCode.Unset : ActivityStatusCode.Error,
                code == ExitCode.Done ? null : code.ToString());
        run?.Dispose();
        return (int)code;
    }

    /// <summary>A run may have a long migration in hand: who doesn't want to wait for its end asks twice.</summary>
    private static Registrations OnSecondSignal(CancellationTokenSource abort)
    {
        var signals = 0;
        return new(
            [PosixSignalRegistration.Create(PosixSignal.SIGINT, Count),
                PosixSignalRegistration.Create(PosixSignal.SIGTERM, Count)]);

        void Count(PosixSignalContext context)
        {
            context.Cancel = true;
            if (Interlocked.Increment(ref signals) == 2)
            {
                abort.Cancel();
            }
        }
    }

    [LoggerMessage(LogLevel.Warning, "Something that runs beside the command failed to end.")]
    private static partial void LogNotStopped(ILogger log, Exception error);

    [LoggerMessage(LogLevel.Warning, "Cancelled. What is done stays; run again for the rest.")]
    private static partial void LogCancelled(ILogger log);

    [LoggerMessage(LogLevel.Critical, "{Message}")]
    private static partial void LogNotConfigured(ILogger log, string message);

    [LoggerMessage(LogLevel.Critical, "The database or the shared schema failed, nothing more was tried: {Message}")]
    private static partial void LogDatabaseFailed(ILogger log, Exception error, string message);

    [LoggerMessage(LogLevel.Critical,
        "This build's migrations can't be applied to {Noun}s' schemas. The database is not the cause. {Message}")]
    private static partial void LogBuildFailed(ILogger log, string noun, string message);

    private sealed class Registrations(PosixSignalRegistration[] signals) : IDisposable
    {
        public void Dispose() => Array.ForEach(signals, signal => signal.Dispose());
    }
}

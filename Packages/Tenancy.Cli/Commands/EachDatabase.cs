using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Spectre.Console;
using Tenancy.Cli.Reports;
using Tenancy.Cli.Runs;
using Tenancy.Databases;

namespace Tenancy.Cli.Commands;

/// <summary>A command that is done in each database of tenants: one report and one exit code.</summary>
internal static partial class EachDatabase
{
    // The exit code that says most. A cancelled command goes to no further database.
    private static readonly ExitCode[] Worst =
    [
        ExitCode.Cancelled, ExitCode.BuildFailed, ExitCode.Usage, ExitCode.DatabaseFailed, ExitCode.Halted,
        ExitCode.TenantsFailed, ExitCode.Done,
    ];

    /// <summary>
    /// Does it in the first database, then in each other, in the order of their names. A database that fails keeps no
    /// other from its turn.
    /// </summary>
    /// <param name="job">The first database's.</param>
    /// <param name="reports">Whether the command's output is its answer.</param>
    /// <param name="isolate">Whether a database that fails, but the first, leaves the exit code as it is.</param>
    /// <param name="command">Gets each database's.</param>
    public static async Task<ExitCode> RunAsync(
        JobContext job, bool reports, bool isolate, Func<JobContext, Task<ExitCode>> command)
    {
        var databases = job.Services.GetRequiredService<TenantDatabases>();
        if (databases.Others.Count == 0)
        {
            return await command(job);
        }

        var log = job.Services.GetRequiredService<ILogger<MigrationJob>>();
        var answers = new List<object>();
        var codes = new List<ExitCode>
        {
            await TryAsync(job with { Answers = answers }, reports, log, command),
        };
        foreach (var database in databases.Others)
        {
            if (job.Stop.IsCancellationRequested || codes[^1] is ExitCode.Cancelled or ExitCode.BuildFailed)
            {
                break;
            }

            await using var scope = database.NewScope();
            var there = job with
            {
                Services = scope.ServiceProvider, Database = database.Name, Answers = answers,
            };
            var code = await TryAsync(there, reports, log, command);
            codes.Add(code == ExitCode.DatabaseFailed && isolate ? ExitCode.Done : code);
        }

        if (answers.Count > 0)
        {
            StatusReport.WriteJson(job.Output, answers);
        }

        codes.Add(await UnknownAsync(job, databases, log) && !isolate ? ExitCode.TenantsFailed : ExitCode.Done);
        return Worst.First(codes.Contains);
    }

    private static async Task<ExitCode> TryAsync(
        JobContext job, bool reports, ILogger log, Func<JobContext, Task<ExitCode>> command)
    {
        if (!reports)
        {
            LogDatabase(log, job.Database ?? "the first");
        }

        try
        {
            return await command(job);
        }
        catch (Exception e) when (e is not UsageException)
        {
            if (job.Database is { } name)
            {
                LogFailed(log, name);
            }

            return await JobHost.TellAsync(log, e, reports, job.Services.GetRequiredService<JobSettings>().Noun);
        }
    }

    /// <summary>Whether the registry names a database that nobody configured: its tenants are passed over.</summary>
    private static async Task<bool> UnknownAsync(JobContext job, TenantDatabases databases, ILogger log)
    {
        try
        {
            var registry = job.Services.GetRequiredService<ITenantRegistry>();
            await using var ask = job.Services.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.OwnerKey)
                .CreateCommand(
                    $"SELECT t.database, count(*)::int FROM ({PlacedTenants.TenantsSql(registry)}) AS t " +
                    "WHERE t.database <> ALL ($1) GROUP BY 1 ORDER BY 1");
            ask.Parameters.Add(new NpgsqlParameter<string[]>
            {
                TypedValue = [.. databases.Others.Select(database => database.Name)],
            });
            var unknown = false;
            await using var rows = await ask.ExecuteReaderAsync(job.Stop);
            while (await rows.ReadAsync(job.Stop))
            {
                unknown = true;
                LogUnknown(log, rows.GetInt32(1), job.Services.GetRequiredService<JobSettings>().Noun,
                    rows.GetString(0));
            }

            return unknown;
        }
        catch (Exception e) when (e is NpgsqlException or OperationCanceledException)
        {
            // The first database's own end says it.
            return false;
        }
    }

    [LoggerMessage(LogLevel.Information, "Database: {Database}.")]
    private static partial void LogDatabase(ILogger log, string database);

    [LoggerMessage(LogLevel.Error, "The database '{Database}' failed. The others have their turn.")]
    private static partial void LogFailed(ILogger log, string database);

    [LoggerMessage(LogLevel.Error,
        "{Count} {Noun}s are in the database '{Database}', which isn't configured: they are passed over, and " +
        "answered with 503. Add its connection string, or correct the registry.")]
    private static partial void LogUnknown(ILogger log, int count, string noun, string database);
}

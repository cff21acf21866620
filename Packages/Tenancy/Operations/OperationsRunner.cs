using System.Diagnostics;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Tenancy.Operations;

/// <summary>
/// Runs operations, a few at a time, the oldest first: what this process was asked for at once, what others left within
/// seconds. Several processes may run it over one database.
/// </summary>
internal sealed partial class OperationsRunner(
    TenantOperations operations, TenancyOptions options, IServiceScopeFactory scopes, TimeProvider time,
    ILogger<OperationsRunner> log) : BackgroundService
{
    /// <summary>How long files are kept after their operation's end.</summary>
    public static readonly TimeSpan FilesKept = TimeSpan.FromDays(1);

    /// <summary>How long operations are.</summary>
    public static readonly TimeSpan OperationsKept = TimeSpan.FromDays(7);

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan BetweenCleanings = TimeSpan.FromMinutes(5);

    private readonly OperationAttempt _attempt = new(operations, time, log);
    private readonly SemaphoreSlim _free = new(Math.Max(options.ParallelOperations, 1));
    private long? _cleaned;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        TenancyTelemetry.Detach();
        await Task.Yield();
        var (running, failing) = (new List<Task>(), false);
        while (options.ParallelOperations > 0 && !stoppingToken.IsCancellationRequested)
        {
            try
            {
                await _free.WaitAsync(stoppingToken);
                if (await BeginNextAsync(stoppingToken) is { } begun)
                {
                    running.RemoveAll(one => one.IsCompleted);
                    running.Add(begun);
                }
                else
                {
                    _free.Release();
                    // What others left needs no hurry; what this process was asked for releases the semaphore.
                    await operations.Asked.WaitAsync(Pause, stoppingToken);
                    // One look finds all that was asked for meanwhile.
                    while (operations.Asked.Wait(0, CancellationToken.None))
                    {
                    }
                }

                failing = false;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e)
            {
                _free.Release();
                // The database is away, or has no tables yet: an exception from here would end the host.
                if (!failing)
                {
                    OperationAttempt.LogUnreachable(log, e.Message);
                }

                failing = true;
                await Task.Delay(Pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <returns>Null where nothing waits.</returns>
    private async Task<Task?> BeginNextAsync(CancellationToken stopping)
    {
        using var unrecorded = TenancyTelemetry.Unrecorded();
        await CleanAsync(stopping);
        return await operations.Table.ClaimAsync(stopping) is { } claimed
            ? RunClaimedAsync(claimed.Operation, claimed.Arguments, stopping)
            : null;
    }

    /// <summary>Now and then. What can't be cleaned keeps no operation waiting.</summary>
    private async Task CleanAsync(CancellationToken stopping)
    {
        if (_cleaned is { } last && time.GetElapsedTime(last) <= BetweenCleanings)
        {
            return;
        }

        _cleaned = time.GetTimestamp();
        try
        {
            await operations.Table.GiveUpAsync(stopping);
            await operations.Table.ExpireAsync(FilesKept, OperationsKept, stopping);
        }
        catch (NpgsqlException e)
        {
            LogNotCleaned(log, e.Message);
        }
    }

    private async Task RunClaimedAsync(Operation operation, JsonObject arguments, CancellationToken stopping)
    {
        // The span belongs to nobody's trace.
        Activity.Current = null;
        await Task.Yield();
        using var span = TenancyTelemetry.Start($"operation {operation.Kind}");
        span?.SetTag(TenancyTelemetry.Tenant, operation.Slug);
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            await _attempt.RunAsync(new(operations.Table, operation, arguments, scope.ServiceProvider), span, stopping);
        }
        finally
        {
            _free.Release();
        }
    }

    [LoggerMessage(LogLevel.Warning, "Old operations and their files couldn't be deleted: {Error}")]
    private static partial void LogNotCleaned(ILogger log, string error);
}

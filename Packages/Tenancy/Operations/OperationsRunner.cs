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
                    LogUnreachable(log, e.Message);
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
        if (_cleaned is not { } last || time.GetElapsedTime(last) > BetweenCleanings)
        {
            await operations.Table.GiveUpAsync(stopping);
            await operations.Table.ExpireAsync(FilesKept, OperationsKept, stopping);
            _cleaned = time.GetTimestamp();
        }

        return await operations.Table.ClaimAsync(stopping) is { } claimed
            ? RunClaimedAsync(claimed.Operation, claimed.Arguments, stopping)
            : null;
    }

    private async Task RunClaimedAsync(Operation operation, JsonObject arguments, CancellationToken stopping)
    {
        // The span belongs to nobody's trace.
        Activity.Current = null;
        await Task.Yield();
        using var span = TenancyTelemetry.Start($"operation {operation.Kind}");
        span?.SetTag(TenancyTelemetry.Tenant, operation.Slug);
        await using var scope = scopes.CreateAsyncScope();
        try
        {
            await RunAsync(new(operations.Table, operation, arguments, scope.ServiceProvider), span, stopping);
            if (operation.Kind == OperationKinds.Import)
            {
                // What came with the request has served.
                await operations.Table.DeleteReadFileAsync(operation, CancellationToken.None);
            }
        }
        catch (Exception e)
        {
            // How it ended couldn't be written: another attempt begins when its heartbeat is old.
            LogReturned(log, operation.Kind, operation.Id, e.Message);
        }
        finally
        {
            _free.Release();
        }
    }

    private async Task RunAsync(OperationContext context, Activity? span, CancellationToken stopping)
    {
        var operation = context.Operation;
        using var ended = new CancellationTokenSource();
        using var cancelled = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var heart = BeatAsync(context, cancelled, ended.Token);
        try
        {
            var kind = operations.Find(operation.Kind) ?? throw new NotSupportedException(
                $"This build has no operation '{operation.Kind}'.");
            var result = await kind.RunAsync(context, cancelled.Token);
            await StopAsync();
            var (state, words) = context.Ending;
            if (state == OperationState.Cancelled && stopping.IsCancellationRequested)
            {
                await operations.Table.ReturnAsync(operation, counts: false);
                return;
            }

            await operations.Table.EndAsync(context, state, result, words);
            LogEnded(log, operation.Kind, operation.Id, state, operation.Slug);
        }
        catch (Exception e)
        {
            await StopAsync();
            await FailAsync(context, e, span, cancelled.IsCancellationRequested, stopping);
        }

        async Task StopAsync()
        {
            await ended.CancelAsync();
            await heart;
        }
    }

    private async Task FailAsync(
        OperationContext context, Exception error, Activity? span, bool isCancelled, CancellationToken stopping)
    {
        var operation = context.Operation;
        if (stopping.IsCancellationRequested || error is NpgsqlException absent && absent.IsAbsence())
        {
            await operations.Table.ReturnAsync(operation, counts: !stopping.IsCancellationRequested);
            LogReturned(log, operation.Kind, operation.Id, error.Message);
            return;
        }

        if (error is OperationLostException)
        {
            LogReturned(log, operation.Kind, operation.Id, error.Message);
            return;
        }

        if (isCancelled)
        {
            await operations.Table.EndAsync(context, OperationState.Cancelled, null, null);
            LogEnded(log, operation.Kind, operation.Id, OperationState.Cancelled, operation.Slug);
            return;
        }

        span?.SetStatus(ActivityStatusCode.Error, error.Message);
        LogFailed(log, error, operation.Kind, operation.Id, operation.Slug);
        await operations.Table.EndAsync(context, OperationState.Failed, null, Words(error));
    }

    /// <summary>What is said to whoever asked: the library's own words and PostgreSQL's, no more of anything else.
    /// </summary>
    private static string Words(Exception error) => error switch
    {
        PostgresException said => said.MessageText,
        _ when error is TenantTransferException or TenantUnavailableException or TenantSlugTakenException
            or TenantInUseException or TenantMigrationException or FormatException or ArgumentException
            or NotSupportedException => error.Message,
        _ => $"It failed unexpectedly ({error.GetType().Name}): the log of the process says more.",
    };

    private async Task BeatAsync(OperationContext context, CancellationTokenSource cancelled, CancellationToken ended)
    {
        using var unrecorded = TenancyTelemetry.Unrecorded();
        using var timer = new PeriodicTimer(OperationsTable.Beat, time);
        try
        {
            while (await timer.WaitForNextTickAsync(ended))
            {
                try
                {
                    if (await operations.Table.BeatAsync(context, ended) is not null)
                    {
                        await cancelled.CancelAsync();
                    }
                }
                catch (OperationLostException)
                {
                    await cancelled.CancelAsync();
                }
                catch (NpgsqlException e)
                {
                    // The work says what that means for it.
                    LogUnreachable(log, e.Message);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The attempt has ended.
        }
    }

    [LoggerMessage(LogLevel.Information, "Operation {Kind} {Id} has ended: {State} ({Tenant}).")]
    private static partial void LogEnded(ILogger log, string kind, Guid id, OperationState state, string? tenant);

    [LoggerMessage(LogLevel.Warning, "Operation {Kind} {Id} is left to another attempt: {Why}")]
    private static partial void LogReturned(ILogger log, string kind, Guid id, string why);

    [LoggerMessage(LogLevel.Error, "Operation {Kind} {Id} failed ({Tenant}).")]
    private static partial void LogFailed(ILogger log, Exception error, string kind, Guid id, string? tenant);

    [LoggerMessage(LogLevel.Warning, "Operations can't be read or written now: {Error}")]
    private static partial void LogUnreachable(ILogger log, string error);
}

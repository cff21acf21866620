using System.Diagnostics;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Tenancy.Operations;

/// <summary>One attempt at an operation, with its heartbeat, and how it ended.</summary>
internal sealed partial class OperationAttempt(TenantOperations operations, TimeProvider time, ILogger log)
{
    /// <param name="context">As it was claimed.</param>
    /// <param name="span">The attempt's; null for none.</param>
    /// <param name="stopping">The process ends: the operation is given back.</param>
    public async Task RunAsync(OperationContext context, Activity? span, CancellationToken stopping)
    {
        try
        {
            if (context.Operation.Cancel is not null)
            {
                // Its process died before it noticed.
                await EndAsync(context, OperationState.Cancelled, null, null);
                return;
            }

            await WorkAsync(context, span, stopping);
            if (context.Operation.Kind == OperationKinds.Import)
            {
                // What came with the request has served, if the import has ended.
                await operations.Table.DeleteReadFileAsync(context.Operation, CancellationToken.None);
            }
        }
        catch (Exception e)
        {
            // How it ended couldn't be written: another attempt begins when its heartbeat is old.
            LogReturned(log, context.Operation.Kind, context.Operation.Id, e.Message);
        }
    }

    private async Task WorkAsync(OperationContext context, Activity? span, CancellationToken stopping)
    {
        using var ended = new CancellationTokenSource();
        using var cancelled = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var heart = BeatAsync(context, cancelled, ended.Token);
        JsonObject? result;
        try
        {
            var kind = operations.Find(context.Operation.Kind) ?? throw new NotSupportedException(
                $"This build has no operation '{context.Operation.Kind}'.");
            result = await kind.RunAsync(context, cancelled.Token);
            await StopAsync();
        }
        catch (Exception e)
        {
            await StopAsync();
            await FailAsync(context, e, span, cancelled.IsCancellationRequested, stopping);
            return;
        }

        var (state, words) = context.Ending;
        if (state == OperationState.Cancelled && stopping.IsCancellationRequested)
        {
            await ReturnAsync(context.Operation, "the process ends", counts: false);
            return;
        }

        await EndAsync(context, state, result, words);

        async Task StopAsync()
        {
            await ended.CancelAsync();
            await heart;
        }
    }

    private async Task FailAsync(
        OperationContext context, Exception error, Activity? span, bool isCancelled, CancellationToken stopping)
    {
        if (error is OperationLostException)
        {
            LogReturned(log, context.Operation.Kind, context.Operation.Id, error.Message);
        }
        else if (stopping.IsCancellationRequested || error.Absence() is not null)
        {
            await ReturnAsync(context.Operation, error.Message, counts: !stopping.IsCancellationRequested);
        }
        else if (isCancelled)
        {
            await EndAsync(context, OperationState.Cancelled, null, null);
        }
        else
        {
            span?.SetStatus(ActivityStatusCode.Error, error.Message);
            LogFailed(log, error, context.Operation.Kind, context.Operation.Id, context.Operation.Slug);
            await operations.Table.EndAsync(context, OperationState.Failed, null, Words(error));
        }
    }

    private async Task ReturnAsync(Operation operation, string why, bool counts)
    {
        await operations.Table.ReturnAsync(operation, counts);
        LogReturned(log, operation.Kind, operation.Id, why);
    }

    private async Task EndAsync(OperationContext context, OperationState state, JsonObject? result, string? words)
    {
        var operation = context.Operation;
        if (await operations.Table.EndAsync(context, state, result, words))
        {
            LogEnded(log, operation.Kind, operation.Id, state, operation.Slug);
        }
        else
        {
            LogReturned(log, operation.Kind, operation.Id, new OperationLostException().Message);
        }
    }

    /// <summary>What is said to whoever asked: the library's own words and PostgreSQL's, no more of anything else.
    /// </summary>
    private static string Words(Exception error) => error switch
    {
        // They say what to do, whatever the server's words for it were.
        TenantInUseException or TenantMoveException => error.Message,
        _ when error.Said() is { } said => said.MessageText,
        ArgumentException => error.Message.Split(" (Parameter", 2)[0],
        TenantTransferException or TenantUnavailableException or TenantSlugTakenException or TenantMigrationException
            or FormatException or NotSupportedException => error.Message,
        _ when error.IsTimeLimit() =>
            "A statement reached its time limit. Another session may hold a lock, or the server is busy: ask again later.",
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

    [LoggerMessage(LogLevel.Error, "Operation {Kind} {Id} failed ({Tenant}).")]
    private static partial void LogFailed(ILogger log, Exception error, string kind, Guid id, string? tenant);

    [LoggerMessage(LogLevel.Warning, "Operation {Kind} {Id} is left to another attempt: {Why}")]
    private static partial void LogReturned(ILogger log, string kind, Guid id, string why);

    [LoggerMessage(LogLevel.Warning, "Operations can't be read or written now: {Error}")]
    public static partial void LogUnreachable(ILogger log, string error);
}

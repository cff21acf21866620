using System.Diagnostics;
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

    [LoggerMessage(LogLevel.Error, "Operation {Kind} {Id} failed ({Tenant}).")]
    private static partial void LogFailed(ILogger log, Exception error, string kind, Guid id, string? tenant);

    [LoggerMessage(LogLevel.Warning, "Operation {Kind} {Id} is left to another attempt: {Why}")]
    private static partial void LogReturned(ILogger log, string kind, Guid id, string why);

    [LoggerMessage(LogLevel.Warning, "Operations can't be read or written now: {Error}")]
    private static partial void LogUnreachable(ILogger log, string error);
}

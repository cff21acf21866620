using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Tenancy.Provisioning;

namespace Tenancy;

/// <summary>
/// Keeps as many spare schemas as <see cref="TenancyOptions.WarmPool"/> says, at the build's version: makes what is
/// missing, one after the other, when one was given away and every minute. Several processes may run it over one
/// database. Registered by <see cref="TenancyRegistration.AddWarmPool"/>.
/// </summary>
public sealed partial class WarmPoolFiller(
    [FromKeyedServices(TenancyOptions.OwnerKey)] NpgsqlDataSource database, CompiledMigrations migrations, SchemaProvisioner provisioner, TenancyOptions options,
    TimeProvider time, ILogger<WarmPoolFiller> log)
    : BackgroundService
{
    private static readonly TimeSpan WhileAnotherFills = TimeSpan.FromSeconds(1);

    // Given away by this process: they count as gone before their transactions have ended, or nobody would look again
    // when they have.
    private readonly HashSet<SchemaName> _given = [];
    private bool _failing;

    /// <summary>The pause while no spare was given away.</summary>
    internal TimeSpan Pause { get; init; } = TimeSpan.FromMinutes(1);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        TenancyTelemetry.Detach();
        while (options.WarmPool > 0 && !stoppingToken.IsCancellationRequested)
        {
            var pause = Pause;
            try
            {
                if (!await FillAsync(stoppingToken))
                {
                    pause = WhileAnotherFills < Pause ? WhileAnotherFills : Pause;
                }
                else if (_failing)
                {
                    _failing = false;
                    LogRecovered(log);
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // Whatever it is, customers are created without spares, only slower: no reason to end the host, as an
                // exception from here would.
                if (!_failing)
                {
                    LogFailed(log, e);
                }

                _failing = true;
            }

            await WaitAsync(pause, stoppingToken);
        }
    }

    /// <summary>Makes what is missing.</summary>
    /// <returns>False where another process is at it.</returns>
    internal async Task<bool> FillAsync(CancellationToken ct)
    {
        // First: what is left unread would wake it again at once, however often the rest fails.
        NoteGiven();
        var made = 0;
        Activity? span = null;
        try
        {
            while (true)
            {
                NoteGiven();
                await using var connection = await OpenAsync(ct);
                await using var transaction = await connection.BeginTransactionAsync(ct);
                if (await CountAsync(transaction, ct) is not { } count)
                {
                    return false;
                }

                if (count >= options.WarmPool)
                {
                    _given.Clear();
                    return true;
                }

                // Only what is made leaves a trace: it is looked every minute, and mostly nothing is missing.
                span ??= TenancyTelemetry.Start(TenancyTelemetry.FillWarmPool);
                // One transaction each, so that a claim finds the first while the next is being made.
                var spare = await provisioner.CreateSpareAsync(transaction, ct);
                await transaction.CommitAsync(ct);
                made++;
                LogMade(log, spare, count + 1, options.WarmPool);
            }
        }
        catch (Exception e)
        {
            span?.SetStatus(ActivityStatusCode.Error, e.Message);
            throw;
        }
        finally
        {
            span?.SetTag(TenancyTelemetry.Schemas, made).Dispose();
        }
    }

    private async Task<NpgsqlConnection> OpenAsync(CancellationToken ct)
    {
        using var unrecorded = TenancyTelemetry.Unrecorded();
        await provisioner.PrepareAsync(ct);
        return await database.OpenConnectionAsync(ct);
    }

    private async Task<int?> CountAsync(NpgsqlTransaction transaction, CancellationToken ct)
    {
        using var unrecorded = TenancyTelemetry.Unrecorded();
        return await SpareSchemas.CountAsync(transaction, migrations.Target, _given, ct);
    }

    private void NoteGiven()
    {
        while (provisioner.Given.TryRead(out var given))
        {
            _given.Add(given);
        }
    }

    private async Task WaitAsync(TimeSpan pause, CancellationToken stopping)
    {
        using var over = new CancellationTokenSource(pause, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, stopping);
        try
        {
            await provisioner.Given.WaitToReadAsync(either.Token);
        }
        catch (OperationCanceledException)
        {
            // Time to look, or to end.
        }
    }

    [LoggerMessage(LogLevel.Debug, "Made the spare schema {Schema}: {Count} of {Wanted}.")]
    private static partial void LogMade(ILogger log, SchemaName schema, int count, int wanted);

    [LoggerMessage(LogLevel.Warning,
        "No spare schemas can be made at the moment, so new customers wait until theirs is made. Trying again, " +
        "without saying so each time.")]
    private static partial void LogFailed(ILogger log, Exception error);

    [LoggerMessage(LogLevel.Information, "Spare schemas are made again.")]
    private static partial void LogRecovered(ILogger log);
}

using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Tenancy.Registries;

/// <summary>
/// Hears the database's notices of changed tenants, over a connection of its own. A connection that is there may still
/// deliver nothing: a network that drops packets, a pooler in transaction mode. So the listener sends itself a notice
/// over another connection, at first and whenever it has heard nothing for a while, and believes only what arrives.
/// </summary>
internal sealed partial class DirectoryListener(
    TenantDirectory directory, TenancyOptions options, DatabaseProbe probe, ILogger<DirectoryListener> log)
    : BackgroundService
{
    private const string Proof = "proof:";

    /// <summary>How long silence may last before the connection is tried.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(5);

    private bool _told;
    private int _failures;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.DirectoryListenTime is null)
        {
            return;
        }

        // Its questions are nobody's request.
        using var unrecorded = TenancyTelemetry.Unrecorded();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(stoppingToken);
            }
            catch (Exception) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e)
            {
                // Whatever it is: answers are kept for a shorter time then, and that is no reason to end the host.
                Tell(e.Message);
            }
            finally
            {
                if (directory.Hears(options.Database))
                {
                    directory.Listens(false, options.Database);
                }
            }

            // At once after a broken connection; a pooler that delivers nothing is left alone.
            await Task.Delay(TimeSpan.FromSeconds(Math.Min(_failures++, 10)), stoppingToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ListenAsync(CancellationToken ct)
    {
        await using var server = TenantDataSource.CreateListening(options);
        await using var connection = await server.OpenConnectionAsync(ct);
        var heard = new Queue<string>();
        connection.Notification += (_, notice) => heard.Enqueue(notice.Payload);
        await using (var listen = new NpgsqlCommand($"LISTEN {TenantNotices.Channel}", connection))
        {
            await listen.ExecuteNonQueryAsync(ct);
        }

        await ProveAsync(connection, heard, ct);
        directory.Listens(true, options.Database);
        (_told, _failures) = (false, 0);
        while (true)
        {
            await HearAsync(heard, ct);
            if (!await connection.WaitAsync(Silence, ct))
            {
                await ProveAsync(connection, heard, ct);
            }
        }
    }

    /// <exception cref="TimeoutException">The notice didn't arrive.</exception>
    private async Task ProveAsync(NpgsqlConnection connection, Queue<string> heard, CancellationToken ct)
    {
        var proof = $"{Proof}{Guid.NewGuid():n}";
        // Requests may have exhausted the pools, and that makes nobody deaf.
        await probe.AskAsync(async (over, token) =>
        {
            await using var send = over.Owner.CreateCommand("SELECT pg_notify($1, $2)");
            send.Parameters.Add(new NpgsqlParameter<string> { TypedValue = TenantNotices.Channel });
            send.Parameters.Add(new NpgsqlParameter<string> { TypedValue = proof });
            return await send.ExecuteNonQueryAsync(token);
        }, ct);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(DatabaseProbe.Patience);
        try
        {
            while (!heard.Contains(proof))
            {
                await connection.WaitAsync(limit.Token);
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new TimeoutException(
                "a notice that was sent didn't arrive. Behind a pooler in transaction mode, set " +
                "TenancyOptions.ListenConnectionString to the server's own address");
        }
    }

    private async Task HearAsync(Queue<string> heard, CancellationToken ct)
    {
        while (heard.TryDequeue(out var payload))
        {
            if (!payload.StartsWith(Proof, StringComparison.Ordinal))
            {
                await directory.HearAsync(payload, ct);
            }
        }
    }

    private void Tell(string why)
    {
        if (!_told)
        {
            _told = true;
            LogDeaf(log, options.DirectoryCacheTime.TotalSeconds, why);
        }
    }

    [LoggerMessage(LogLevel.Warning,
        "Changes of tenants aren't heard, so answers of the directory are kept for {Seconds} seconds: {Why}")]
    private static partial void LogDeaf(ILogger logger, double seconds, string why);
}

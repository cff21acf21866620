using Microsoft.Extensions.DependencyInjection;
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
    TenantDirectory directory, TenancyOptions options,
    [FromKeyedServices(TenancyOptions.OwnerKey)] NpgsqlDataSource database, ILogger<DirectoryListener> log)
    : BackgroundService
{
    private const string Proof = "proof:";

    /// <summary>How long silence may last before it is looked into, and how long a notice may take.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly string _me = $"{Guid.NewGuid():n}";
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
            catch (Exception e) when (!stoppingToken.IsCancellationRequested
                && e is NpgsqlException or TimeoutException or IOException or OperationCanceledException)
            {
                Tell(e.Message);
            }
            catch (Exception) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            finally
            {
                if (directory.IsListening)
                {
                    directory.Listens(false);
                }
            }

            // At once after a broken connection; a pooler that delivers nothing is left alone.
            await Task.Delay(TimeSpan.FromSeconds(Math.Min(_failures++, 10)), stoppingToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ListenAsync(CancellationToken ct)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(options.ListenConnectionString ?? options.ConnectionString)
            {
                Pooling = false, Timeout = (int)options.ConnectTimeout.TotalSeconds, ApplicationName = "tenancy directory",
            }.ConnectionString);
        await connection.OpenAsync(ct);
        var heard = new Queue<string>();
        connection.Notification += (_, notice) => heard.Enqueue(notice.Payload);
        await using (var listen = new NpgsqlCommand($"LISTEN {TenantNotices.Channel}", connection))
        {
            await listen.ExecuteNonQueryAsync(ct);
        }

        await ProveAsync(connection, heard, ct);
        directory.Listens(true);
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
        var proof = $"{Proof}{_me}:{Guid.NewGuid():n}";
        await using (var send = database.CreateCommand("SELECT pg_notify($1, $2)"))
        {
            send.Parameters.Add(new NpgsqlParameter<string> { TypedValue = TenantNotices.Channel });
            send.Parameters.Add(new NpgsqlParameter<string> { TypedValue = proof });
            send.CommandTimeout = (int)Patience.TotalSeconds;
            await send.ExecuteNonQueryAsync(ct);
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Patience);
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

using System.Collections.Concurrent;
using Npgsql;
using Tenancy;

namespace Api;

/// <summary>
/// Ends requests that wait for a server which has stopped talking: a stopped process, a lost network. TCP doesn't
/// notice, and Npgsql waits for the command's timeout, 30 seconds. So when a request has waited for half a second, the
/// probe asks the server something else. A server that answers is merely busy with a long statement, and the request
/// goes on. One that doesn't within two seconds, twice, is gone, and the request is answered with 503.
/// </summary>
/// <remarks>
/// Npgsql then asks the server to cancel the statement, which takes the pool's <c>Timeout</c>, two seconds, before it
/// gives the connection up: so a request may take seven seconds. Its handler has ended by then; nothing of it goes on
/// behind the answer.
/// </remarks>
internal sealed class SilentServer(DatabaseProbe probe, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Late = TimeSpan.FromMilliseconds(500);

    private readonly ConcurrentDictionary<Request, bool> _requests = [];

    /// <summary>A middleware: inside the exception handler, around everything that asks the database.</summary>
    public async Task WatchAsync(HttpContext context, RequestDelegate next)
    {
        var client = context.RequestAborted;
        using var request = new Request(time.GetTimestamp(), CancellationTokenSource.CreateLinkedTokenSource(client));
        _requests[request] = true;
        context.RequestAborted = request.Token;
        try
        {
            await next(context);
        }
        catch (OperationCanceledException e) when (request.Ended && !client.IsCancellationRequested)
        {
            throw new NpgsqlException("The server doesn't answer", new TimeoutException(e.Message, e));
        }
        finally
        {
            _requests.TryRemove(request, out _);
            context.RequestAborted = client;
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Look, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                var late = _requests.Keys.Where(request => time.GetElapsedTime(request.Started) >= Late).ToList();
                // Asked twice: a machine that has too much to do may be slow once.
                if (late.Count > 0 && !await AnswersAsync(stoppingToken) && !await AnswersAsync(stoppingToken))
                {
                    late.ForEach(request => request.End());
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host ends.
        }
    }

    private async Task<bool> AnswersAsync(CancellationToken ct)
    {
        try
        {
            return await probe.AskAsync(
                async (over, token) =>
                {
                    await using var select = over.Tenants.CreateCommand("SELECT 1");
                    await select.ExecuteScalarAsync(token);
                    return true;
                },
                ct);
        }
        catch (TimeoutException)
        {
            return false;
        }
        catch (NpgsqlException e)
        {
            // A refusal is an answer, and whoever has a connection may still be served over it.
            return e.InnerException is not TimeoutException || Unavailable.IsBusy(e);
        }
    }

    /// <summary>A request in progress.</summary>
    private sealed class Request(long started, CancellationTokenSource cancellation) : IDisposable
    {
        private readonly Lock _lock = new();
        private bool _over;

        public long Started { get; } = started;

        public CancellationToken Token { get; } = cancellation.Token;

        public bool Ended { get; private set; }

        /// <summary>On a thread of its own: Npgsql blocks it while it asks the server to cancel.</summary>
        public void End()
        {
            lock (_lock)
            {
                if (_over || Ended)
                {
                    return;
                }

                Ended = true;
            }

            _ = Task.Factory.StartNew(
                Cancel, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }

        public void Dispose()
        {
            lock (_lock)
            {
                _over = true;
            }

            cancellation.Dispose();
        }

        private void Cancel()
        {
            try
            {
                cancellation.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // It got its answer in the last moment.
            }
        }
    }
}

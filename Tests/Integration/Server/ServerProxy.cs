using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Tests.Integration.Server;

/// <summary>
/// A port of this machine that leads to a server. It can fall silent: connections stay open, new ones are accepted, and
/// nothing passes. Or it loses the server: connections are cut, and new ones end at once.
/// </summary>
internal sealed class ServerProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentDictionary<TcpClient, bool> _open = new();
    private readonly Task _accepting;
    private readonly int _server;
    private volatile TaskCompletionSource _talking = new();
    private volatile bool _lost;

    /// <param name="server">The server's port on this machine.</param>
    public ServerProxy(int server)
    {
        _server = server;
        _talking.SetResult();
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public void FallSilent() => _talking = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void TalkAgain() => _talking.TrySetResult();

    public void Lose()
    {
        _lost = true;
        foreach (var client in _open.Keys)
        {
            client.Dispose();
        }
    }

    public void Find() => _lost = false;

    /// <summary>May be called twice.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_end.IsCancellationRequested)
        {
            return;
        }

        await _end.CancelAsync();
        Lose();
        _listener.Stop();
        await _accepting;
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                connections.Add(LeadAsync(await _listener.AcceptTcpClientAsync(_end.Token)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task LeadAsync(TcpClient client)
    {
        using var server = new TcpClient();
        using (client)
        {
            _open[client] = true;
            try
            {
                if (_lost)
                {
                    return;
                }

                await _talking.Task.WaitAsync(_end.Token);
                await server.ConnectAsync(IPAddress.Loopback, _server, _end.Token);
                await Task.WhenAny(PassAsync(client.GetStream(), server.GetStream()),
                    PassAsync(server.GetStream(), client.GetStream()));
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException
                or ObjectDisposedException or InvalidOperationException)
            {
                // One of the two has ended.
            }
            finally
            {
                _open.TryRemove(client, out _);
            }
        }
    }

    private async Task PassAsync(NetworkStream from, NetworkStream to)
    {
        var buffer = new byte[8192];
        while (await from.ReadAsync(buffer, _end.Token) is > 0 and var read)
        {
            await _talking.Task.WaitAsync(_end.Token);
            await to.WriteAsync(buffer.AsMemory(0, read), _end.Token);
        }
    }
}

using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Tests.Integration.Citus;

/// <summary>
/// A port of this machine that leads to a node, until the node is lost: then its connections are cut, and new ones end
/// at once. A database that has this port in <c>pg_dist_node</c> loses the node alone.
/// </summary>
internal sealed class NodeProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentDictionary<TcpClient, bool> _open = new();
    private readonly Task _accepting;
    private readonly int _node;
    private volatile bool _lost;

    public NodeProxy(int node)
    {
        _node = node;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public void Lose()
    {
        _lost = true;
        foreach (var client in _open.Keys)
        {
            client.Dispose();
        }
    }

    public void Find() => _lost = false;

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        Lose();
        _listener.Stop();
        await _accepting;
        _end.Dispose();
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
        using var node = new TcpClient();
        using (client)
        {
            _open[client] = true;
            try
            {
                if (_lost)
                {
                    return;
                }

                await node.ConnectAsync(IPAddress.Loopback, _node, _end.Token);
                var (here, there) = (client.GetStream(), node.GetStream());
                await Task.WhenAny(here.CopyToAsync(there, _end.Token), there.CopyToAsync(here, _end.Token));
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
}

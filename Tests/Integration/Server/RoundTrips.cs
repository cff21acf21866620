using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Tests.Integration.Server;

/// <summary>
/// Stands between a client and a test's server, on a free port of 127.0.0.1, and counts how often the client waits for
/// an answer: what it sends at once up to a Sync or a simple Query is one round trip (Npgsql sends BEGIN with the
/// statement after it). Logging in is none.
/// </summary>
internal sealed class RoundTrips : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentBag<Task> _connections = [];
    private readonly NpgsqlConnectionStringBuilder _server;
    private readonly Task _accepting;
    private int _count;

    /// <summary>In front of the server of a connection string.</summary>
    public RoundTrips(string connectionString)
    {
        _server = new(connectionString);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>
    /// What leads a client by here, to be appended to the server's connection string. In plain text, or it couldn't be
    /// read.
    /// </summary>
    public string Settings =>
        $"Host=127.0.0.1;Port={((IPEndPoint)_listener.LocalEndpoint).Port};SSL Mode=Disable;GSS Encryption " +
        "Mode=Disable";

    /// <summary>Since the start, over all connections.</summary>
    public int Count => Volatile.Read(ref _count);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Stop();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(_connections).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            _connections.Add(PassAsync(await _listener.AcceptTcpClientAsync(_stopping.Token)));
        }
    }

    private async Task PassAsync(TcpClient accepted)
    {
        using var client = accepted;
        using var server = new TcpClient { NoDelay = true };
        client.NoDelay = true;
        await server.ConnectAsync(_server.Host!, _server.Port, _stopping.Token);
        using var closed = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        var answers = server.GetStream().CopyToAsync(client.GetStream(), closed.Token);
        await CountAsync(client.GetStream(), server.GetStream(), closed.Token);
        await closed.CancelAsync();
        await answers.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task CountAsync(NetworkStream client, NetworkStream server, CancellationToken ct)
    {
        var messages = new ClientMessages();
        var buffer = new byte[64 * 1024];
        while (await client.ReadAsync(buffer, ct) is var read and > 0)
        {
            if (messages.EndTurn(buffer.AsSpan(0, read)))
            {
                // Before the server can answer: who has the answer finds it counted.
                Interlocked.Increment(ref _count);
            }

            await server.WriteAsync(buffer.AsMemory(0, read), ct);
        }
    }

    /// <summary>
    /// The client's side of the protocol: a start-up message without a type, then messages of a type's byte and a
    /// length that counts itself.
    /// </summary>
    private sealed class ClientMessages
    {
        private readonly byte[] _header = new byte[5];
        private int _known = 1;
        private long _rest;

        /// <summary>Whether one of the messages that end in these bytes makes the client wait.</summary>
        public bool EndTurn(ReadOnlySpan<byte> bytes)
        {
            var turn = false;
            while (bytes.Length > 0)
            {
                if (_rest > 0)
                {
                    var skipped = (int)Math.Min(_rest, bytes.Length);
                    bytes = bytes[skipped..];
                    _rest -= skipped;
                }
                else
                {
                    _header[_known++] = bytes[0];
                    bytes = bytes[1..];
                    if (_known == _header.Length)
                    {
                        (_known, _rest) = (0, BinaryPrimitives.ReadInt32BigEndian(_header.AsSpan(1)) - sizeof(int));
                    }
                }

                if (_known == 0 && _rest == 0)
                {
                    turn |= _header[0] is (byte)'S' or (byte)'Q';
                    _header[0] = 0;
                }
            }

            return turn;
        }
    }
}

using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Mvc.Testing;

namespace Tests.Journeys;

/// <summary>A console of one test.</summary>
/// <param name="web">The console.</param>
/// <param name="api">The way from it to the API.</param>
internal sealed class OtherConsole(WebApplicationFactory<Web.Shell.App> web, ApiGate api) : IAsyncDisposable
{
    public Uri Address { get; } = RunningConsole.AddressOf(web);

    public ApiGate Api => api;

    public async ValueTask DisposeAsync()
    {
        api.Open();
        await web.DisposeAsync();
    }
}

/// <summary>The way from a console to the API, which a test closes and opens.</summary>
internal sealed class ApiGate
{
    private TaskCompletionSource _open = Opened();
    private volatile bool _isAway;

    /// <summary>The API can't be reached: nothing listens there.</summary>
    public void Away() => _isAway = true;

    /// <summary>The API takes connections and doesn't answer.</summary>
    public void Stall() => _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The API answers, also what was asked meanwhile.</summary>
    public void Open()
    {
        _isAway = false;
        _open.TrySetResult();
    }

    private static TaskCompletionSource Opened()
    {
        var open = new TaskCompletionSource();
        open.SetResult();
        return open;
    }

    internal sealed class Handler(ApiGate gate, HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (gate._isAway)
            {
                throw new HttpRequestException(HttpRequestError.ConnectionError, "Connection refused (localhost:80)");
            }

            await gate._open.Task.WaitAsync(cancellationToken);
            return await base.SendAsync(request, cancellationToken);
        }
    }
}

/// <summary>The line between a browser and a console, which a test cuts and joins again.</summary>
internal sealed class Cable : IAsyncDisposable
{
    private readonly ConcurrentDictionary<TcpClient, bool> _ends = new();
    private readonly int _console;
    private TcpListener _listener;
    private Task _carrying;

    /// <param name="console">The console's own address.</param>
    public Cable(Uri console)
    {
        _console = console.Port;
        _listener = new(IPAddress.Loopback, 0);
        _listener.Start();
        Address = new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
        _carrying = CarryAsync(_listener);
    }

    /// <summary>The browser's end.</summary>
    public Uri Address { get; }

    /// <summary>Breaks all connections and takes no further ones.</summary>
    public async Task CutAsync()
    {
        _listener.Stop();
        await _carrying;
        foreach (var end in _ends.Keys)
        {
            end.Dispose();
        }
    }

    /// <summary>Takes connections again.</summary>
    public void Join()
    {
        _listener = new(IPAddress.Loopback, Address.Port);
        _listener.Start();
        _carrying = CarryAsync(_listener);
    }

    public async ValueTask DisposeAsync() => await CutAsync();

    private async Task CarryAsync(TcpListener listener)
    {
        while (true)
        {
            TcpClient browser;
            try
            {
                browser = await listener.AcceptTcpClientAsync();
            }
            catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException)
            {
                return;
            }

            _ends[browser] = true;
            _ = CarryAsync(browser);
        }
    }

    private async Task CarryAsync(TcpClient browser)
    {
        using (browser)
        using (var console = new TcpClient())
        {
            _ends[console] = true;
            try
            {
                await console.ConnectAsync(IPAddress.Loopback, _console);
                var (here, there) = (browser.GetStream(), console.GetStream());
                await Task.WhenAny(here.CopyToAsync(there), there.CopyToAsync(here));
            }
            catch (Exception cut) when (cut is IOException or SocketException or ObjectDisposedException)
            {
                // That is what it is for.
            }

            _ends.TryRemove(browser, out _);
            _ends.TryRemove(console, out _);
        }
    }
}

using System.Globalization;
using System.Net.WebSockets;
using System.Text;
using System.Text.RegularExpressions;
using Xunit;

namespace Tests.Integration.Telemetry;

/// <summary>
/// A browser, as far as a page of the console needs one: it loads the document and its files, opens the circuit, confirms what is rendered and answers what the page asks it.
/// </summary>
internal sealed partial class Browser : IAsyncDisposable
{
    private const long Invocation = 1;

    private readonly ClientWebSocket _socket = new();
    private readonly CancellationTokenSource _closing = CancellationTokenSource.CreateLinkedTokenSource(Ct);
    private Task _reading = Task.CompletedTask;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<Browser> OpenAsync(HttpClient web, string path)
    {
        var browser = new Browser();
        var html = await web.GetStringAsync(path, Ct);
        foreach (var file in File().Matches(html).Select(match => match.Groups[1].Value))
        {
            (await web.GetAsync(file, Ct)).EnsureSuccessStatusCode();
        }

        (await web.GetAsync("_blazor/initializers", Ct)).EnsureSuccessStatusCode();
        (await web.PostAsync("_blazor/negotiate?negotiateVersion=1", null, Ct)).EnsureSuccessStatusCode();
        var root = web.BaseAddress!;
        await browser._socket.ConnectAsync(new UriBuilder(root) { Scheme = "ws", Path = "/_blazor" }.Uri, Ct);
        await browser._socket.SendAsync(Encoding.UTF8.GetBytes("{\"protocol\":\"blazorpack\",\"version\":1}\u001e"), WebSocketMessageType.Text, true, Ct);
        await browser.CallAsync("1", "StartCircuit", root.ToString(), new Uri(root, path).ToString(), "[]", State().Match(html).Groups[1].Value);
        var operations = Component().Matches(html).Select((match, at) =>
            string.Create(CultureInfo.InvariantCulture, $"{{\"type\":\"add\",\"ssrComponentId\":{at + 1},\"marker\":{match.Groups[1].Value}}}"));
        browser._reading = browser.ReadAsync($"{{\"batchId\":1,\"operations\":[{string.Join(',', operations)}]}}", State().Match(html).Groups[1].Value);
        return browser;
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _reading.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        _socket.Dispose();
        _closing.Dispose();
    }

    /// <summary>Fails when the circuit did.</summary>
    public Task CheckAsync() => _reading.IsCompleted ? _reading : Task.CompletedTask;

    private async Task ReadAsync(string components, string state)
    {
        var buffer = new byte[64 * 1024];
        while (true)
        {
            using var message = new MemoryStream();
            WebSocketReceiveResult part;
            do
            {
                part = await _socket.ReceiveAsync(buffer, _closing.Token);
                message.Write(buffer, 0, part.Count);
            }
            while (!part.EndOfMessage);

            // The answer to the handshake is text.
            if (part.MessageType == WebSocketMessageType.Binary)
            {
                foreach (var received in MessagePack.Messages(message.ToArray()))
                {
                    await AnswerAsync(received, components, state);
                }
            }
        }
    }

    private async Task AnswerAsync(object?[] message, string components, string state)
    {
        switch (message)
        {
            case [3L, ..]:
                // The circuit is there.
                await CallAsync(null, "UpdateRootComponents", components, state);
                break;
            case [Invocation, _, _, "JS.RenderBatch", object?[] batch, ..]:
                await CallAsync(null, "OnRenderCompleted", batch[0], null);
                break;
            case [Invocation, _, _, "JS.BeginInvokeJS", object?[] call, ..]:
                // A reference for whoever wants one; else no: whether the system is dark.
                var answer = call[3] is 1L ? "{\"__jsObjectId\":1}" : "false";
                await CallAsync(null, "EndInvokeJSFromDotNet", call[0], true, $"[{call[0]},true,{answer}]");
                break;
            case [Invocation, _, _, "JS.Error", object?[] error, ..]:
                throw new InvalidOperationException($"The circuit failed: {error[0]}");
        }
    }

    private async Task CallAsync(string? id, string method, params object?[] arguments) => await _socket.SendAsync(
        MessagePack.Frame(Invocation, new Dictionary<string, string>(), id, method, arguments, Array.Empty<object?>()), WebSocketMessageType.Binary, true, _closing.Token);

    [GeneratedRegex("(?:href|src)=\"([^\"/][^\"]*\\.(?:css|js|svg))\"")]
    private static partial Regex File();

    [GeneratedRegex("<!--Blazor:(\\{.*?\\})-->")]
    private static partial Regex Component();

    [GeneratedRegex("<!--Blazor-Server-Component-State:(.*?)-->")]
    private static partial Regex State();
}

using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Tests.Integration.Telemetry;

/// <summary>A span as it was exported.</summary>
internal sealed record ReceivedSpan(string Service, string Trace, string Id, string Parent, string Name, bool IsError,
    IReadOnlyDictionary<string, string> Attributes)
{
    public string? Tenant => Attributes.GetValueOrDefault("tenant.slug");

    public override string ToString() =>
        $"{Trace[..8]} < {Parent} {Service}: {Name}{(IsError ? " (error)" : "")} [{Tenant}] " +
        $"{Attributes.GetValueOrDefault("url.path")}{Attributes.GetValueOrDefault("db.query.text")?.ReplaceLineEndings(" ")}";
}

/// <summary>A log record as it was exported.</summary>
internal sealed record ReceivedLog(string Service, string Category, string Severity, string Body, string Trace,
    IReadOnlyDictionary<string, string> Attributes)
{
    public string? Tenant => Attributes.GetValueOrDefault("tenant.slug");
}

/// <summary>
/// What the dashboard is to the programs: they send their spans and log records here, as the environment tells them to.
/// </summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly ConcurrentQueue<ReceivedSpan> _spans = new();
    private readonly ConcurrentQueue<ReceivedLog> _logs = new();
    private readonly WebApplication _server;

    private OtlpReceiver(WebApplication server) => _server = server;

    public string Address => _server.Urls.Single();

    public IReadOnlyList<ReceivedSpan> Spans => [.. _spans];

    public IReadOnlyList<ReceivedLog> Logs => [.. _logs];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<OtlpReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var receiver = new OtlpReceiver(builder.Build());
        receiver._server.MapPost("/v1/traces", (HttpRequest request) => ReadAsync(request, receiver.ReadSpans));
        receiver._server.MapPost("/v1/logs", (HttpRequest request) => ReadAsync(request, receiver.ReadLogs));
        receiver._server.MapPost("/v1/metrics", (HttpRequest request) => ReadAsync(request, _ => { }));
        await receiver._server.StartAsync(Ct);
        return receiver;
    }

    /// <summary>Forgets what came so far.</summary>
    public void Clear()
    {
        _spans.Clear();
        _logs.Clear();
    }

    /// <summary>Waits for spans or logs, two minutes at most; fails with the spans that came.</summary>
    /// <param name="there">Whether they are there.</param>
    public async Task UntilAsync(Func<bool> there)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!there())
        {
            Assert.True(
                TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromMinutes(2),
                $"They don't come. Came: {string.Join(Environment.NewLine, _spans)}");
            await Task.Delay(20, Ct);
        }
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private static async Task<IResult> ReadAsync(HttpRequest request, Action<OtlpMessage> read)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, Ct);
        read(new(body.ToArray()));
        return Results.Bytes([], "application/x-protobuf");
    }

    private void ReadSpans(OtlpMessage request)
    {
        foreach (var (service, _, span) in Items(request))
        {
            _spans.Enqueue(
                new(service, span.Hex(1), span.Hex(2), span.Hex(4), span.Text(5), span.Message(15)?.Number(3) == 2,
                    span.Attributes(9)));
        }
    }

    private void ReadLogs(OtlpMessage request)
    {
        foreach (var (service, category, log) in Items(request))
        {
            _logs.Enqueue(
                new(service, category, log.Text(3), log.Message(5)?.Value() ?? "", log.Hex(9), log.Attributes(6)));
        }
    }

    /// <summary>Of a resource's scopes.</summary>
    private static IEnumerable<(string Service, string Scope, OtlpMessage Item)> Items(OtlpMessage request) =>
        from resource in request.Messages(1)
        let service = resource.Message(1)?.Attributes(1).GetValueOrDefault("service.name") ?? ""
        from scope in resource.Messages(2)
        from item in scope.Messages(2)
        select (service, scope.Message(1)?.Text(1) ?? "", item);
}

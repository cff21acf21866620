using Xunit;

namespace Tests.Integration.Telemetry;

/// <summary>
/// A migrated database with the demo customers, and over it the API and the web frontend as processes that send their
/// telemetry here.
/// </summary>
public sealed class TracedSystem(App app) : IAsyncLifetime
{
    // ASP.NET Core's line at a request's end. Batches of logs and of spans travel apart, so each has to show its mark.
    private const string RequestLog = "Microsoft.AspNetCore.Hosting.Diagnostics";

    private TracedProgram? _api;
    private TracedProgram? _web;
    private OtlpReceiver? _receiver;

    public string Database { get; private set; } = "";

    internal OtlpReceiver Receiver => _receiver!;

    internal TracedProgram Api => _api!;

    internal TracedProgram Web => _web!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _receiver = await OtlpReceiver.StartAsync();
        Database = await app.Server.ConnectionStringAsync(Ct);
        Assert.Equal(0, (await TracedProgram.RunJobAsync(_receiver, Database, "Development")).ExitCode);
        var requests = ($"Logging__LogLevel__{RequestLog}", "Information");
        _api = await TracedProgram.ServeAsync(
            "Api", _receiver, ("ConnectionStrings__tenants", Database),
            ("Logging__LogLevel__Npgsql.Command", "Warning"), requests);
        _web = await TracedProgram.ServeAsync(
            "Web", _receiver, ("services__api__http__0", _api.Http.BaseAddress!.ToString()), requests);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var disposable in new IAsyncDisposable?[] { _web, _api, _receiver })
        {
            if (disposable is not null)
            {
                await disposable.DisposeAsync();
            }
        }
    }

    /// <summary>What the programs send of all that <paramref name="happens"/>.</summary>
    internal async Task<(IReadOnlyList<ReceivedSpan> Spans,
        IReadOnlyList<ReceivedLog> Logs)> TraceAsync(Func<Task> happens)
    {
        await SentAsync();
        Receiver.Clear();
        await happens();
        var marks = await SentAsync();
        return ([.. Receiver.Spans.Where(span => !marks.Contains(span.Trace))],
            [.. Receiver.Logs.Where(log => log.Category != RequestLog)]);
    }

    /// <summary>
    /// Waits until both have sent what they had: a request of this trace ends after all that came before it.
    /// </summary>
    private async Task<string[]> SentAsync()
    {
        var marks = new List<string>();
        foreach (var (program, service) in new[] { (Api, "api"), (Web, "web") })
        {
            var trace = Guid.NewGuid().ToString("n");
            using var mark = new HttpRequestMessage(
                HttpMethod.Get, "/sign-in") { Headers = { { "traceparent", $"00-{trace}-00000000000000ff-01" } } };
            using var answer = await program.Http.SendAsync(mark, Ct);
            await Receiver.UntilAsync(() => Receiver.Spans.Any(span => span.Service == service && span.Trace == trace)
                && Receiver.Logs.Any(log => log.Category == RequestLog && log.Trace == trace));
            marks.Add(trace);
        }

        return [.. marks];
    }
}

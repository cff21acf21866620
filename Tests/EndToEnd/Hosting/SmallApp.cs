using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Xunit;

namespace Tests.EndToEnd.Hosting;

/// <summary>One of the conformance AppHost's small applications, started. What is asserted on it holds for Aspire's packages and for their stand-in.</summary>
internal sealed class SmallApp : IAsyncDisposable
{
    private readonly DistributedApplication _app;
    private readonly List<string> _seen = [];
    private readonly CancellationTokenSource _over = new();
    private readonly Task _watching;

    private SmallApp(DistributedApplication app)
    {
        _app = app;
        _watching = WatchAsync();
    }

    /// <summary>Every state a resource was seen in, as "name: state", in order.</summary>
    public IReadOnlyList<string> Seen
    {
        get
        {
            lock (_seen)
            {
                return [.. _seen];
            }
        }
    }

    private static CancellationToken Limit => CancellationTokenSource.CreateLinkedTokenSource(
        TestContext.Current.CancellationToken, new CancellationTokenSource(TimeSpan.FromSeconds(90)).Token).Token;

    public static async Task<SmallApp> StartAsync(string scenario, params string[] args)
    {
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.ConformanceHost>([$"--scenario={scenario}", .. args], Limit);
        var app = new SmallApp(await builder.BuildAsync(Limit));
        await app._app.StartAsync(Limit);
        return app;
    }

    public Uri Endpoint(string resource) => _app.GetEndpoint(resource);

    public async Task<string?> ConnectionStringAsync(string resource) => await _app.GetConnectionStringAsync(resource, Limit);

    public async Task<CustomResourceSnapshot> StateAsync(string resource, params string[] states) =>
        (await _app.ResourceNotifications.WaitForResourceAsync(resource, e => states.Contains(e.Snapshot.State?.Text), Limit)).Snapshot;

    public Task<CustomResourceSnapshot> EndAsync(string resource) => StateAsync(resource, [.. KnownResourceStates.TerminalStates]);

    public async Task<CustomResourceSnapshot> HealthyAsync(string resource) =>
        (await _app.ResourceNotifications.WaitForResourceHealthyAsync(resource, Limit)).Snapshot;

    /// <summary>GETs from a resource that has just been started, so that may not listen yet.</summary>
    public async Task<string> GetAsync(string resource, string path)
    {
        using var client = _app.CreateHttpClient(resource);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await client.GetStringAsync(new Uri(path, UriKind.Relative), Limit);
            }
            catch (HttpRequestException) when (attempt < 100)
            {
                await Task.Delay(100, Limit);
            }
        }
    }

    public async Task PostAsync(string resource, string path)
    {
        using var client = _app.CreateHttpClient(resource);
        using var response = await client.PostAsync(new Uri(path, UriKind.Relative), null, Limit);
        response.EnsureSuccessStatusCode();
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await _over.CancelAsync();
        await _watching;
        _over.Dispose();
    }

    private async Task WatchAsync()
    {
        try
        {
            await foreach (var update in _app.ResourceNotifications.WatchAsync(_over.Token))
            {
                lock (_seen)
                {
                    _seen.Add($"{update.Resource.Name}: {update.Snapshot.State?.Text}");
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The application is over, and so is watching it.
        }
    }
}

using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting;

/// <summary>A distributed application that was built: starts its resources, and stops them when it is stopped or disposed.</summary>
public class DistributedApplication : IHost, IAsyncDisposable
{
    private readonly IHost _host;
    private readonly TestSession? _session;
    private readonly Orchestrator _orchestrator;
    private int _stopped;

    internal DistributedApplication(IHost host, TestSession? session)
    {
        (_host, _session) = (host, session);
        _orchestrator = Services.GetRequiredService<Orchestrator>();
    }

    public IServiceProvider Services => _host.Services;

    public ResourceNotificationService ResourceNotifications => Services.GetRequiredService<ResourceNotificationService>();

    public static IDistributedApplicationBuilder CreateBuilder(string[] args) => new DistributedApplicationBuilder(args);

    /// <summary>Returns when every resource has started or failed to, all waiting included.</summary>
    public virtual async Task StartAsync(CancellationToken cancellationToken = default)
    {
        if (Services.GetRequiredService<DistributedApplicationExecutionContext>().IsPublishMode)
        {
            throw new DistributedApplicationException("Publishing needs Aspire's own packages, and this is their stand-in: build with -p:AspirePackages=true where a feed has them.");
        }

        await _host.StartAsync(cancellationToken).ConfigureAwait(false);
        await _orchestrator.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    public virtual async Task StopAsync(CancellationToken cancellationToken = default)
    {
        if (Interlocked.Exchange(ref _stopped, 1) == 0)
        {
            await _orchestrator.StopAsync().ConfigureAwait(false);
            await _host.StopAsync(cancellationToken).ConfigureAwait(false);
            _session?.Ended();
        }
    }

    public void Run() => RunAsync().GetAwaiter().GetResult();

    /// <summary>Starts, and returns when it was told to stop (Ctrl+C, SIGTERM, <paramref name="cancellationToken"/>) and has.</summary>
    public virtual async Task RunAsync(CancellationToken cancellationToken = default)
    {
        if (_session is not null)
        {
            // A test has the application in its hands: it starts and stops it.
            await _session.Completion.ConfigureAwait(false);
            return;
        }

        var lifetime = Services.GetRequiredService<IHostApplicationLifetime>();
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        try
        {
            ConsoleLines.Provider.Reserve(Services.GetRequiredService<DistributedApplicationModel>().Resources.Select(r => r.Name));
            ConsoleLines.Provider.Write("apphost", "Aspire's packages are not used here: the stand-in in eng/Aspire runs this. -p:AspirePackages=true|false forces either (eng/README.md).");
            await StartAsync(stopping.Token).ConfigureAwait(false);
            await _orchestrator.SummarizeAsync(stopping.Token).ConfigureAwait(false);
            await Task.Delay(Timeout.Infinite, stopping.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Told to stop: the way out, whether it was still starting or up.
        }
        finally
        {
            await DisposeAsync().ConfigureAwait(false);
        }
    }

    public virtual async ValueTask DisposeAsync()
    {
        await StopAsync(CancellationToken.None).ConfigureAwait(false);
        if (_host is IAsyncDisposable host)
        {
            await host.DisposeAsync().ConfigureAwait(false);
        }

        GC.SuppressFinalize(this);
    }

    public virtual void Dispose()
    {
        DisposeAsync().AsTask().GetAwaiter().GetResult();
        GC.SuppressFinalize(this);
    }
}

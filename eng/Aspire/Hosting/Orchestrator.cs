using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.InteropServices;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Eventing;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting;

/// <summary>Starts the resources in dependency order, watches over them, and stops them in the opposite order.</summary>
internal sealed partial class Orchestrator(
    DistributedApplicationBuilder builder,
    ResourceNotificationService notifications,
    ResourceLoggerService loggers,
    HealthCheckService healthChecks,
    IServiceProvider services) : IDisposable
{
    private static readonly TimeSpan Reminder = TimeSpan.FromSeconds(15);

    private readonly Ports _ports = new(builder.RandomizePorts);
    private readonly ConcurrentDictionary<IResource, Running> _running = [];
    private readonly CancellationTokenSource _stopping = new();
    private Task _watching = Task.CompletedTask;

    private IDistributedApplicationEventing Eventing => builder.Eventing;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        using var starting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stopping.Token);
        RefuseCircles();
        lock (_ports)
        {
            _ports.Allocate(builder.Resources);
        }

        _watching = WatchAsync();
        await Task.WhenAll(builder.Resources.Select(r => StartAsync(r, starting.Token))).ConfigureAwait(false);
    }

    public void Dispose() => _stopping.Dispose();

    private async Task StartAsync(IResource resource, CancellationToken cancellationToken)
    {
        await Task.Yield();
        try
        {
            switch (resource)
            {
                case ParameterResource parameter:
                    await parameter.GetValueAsync(cancellationToken).ConfigureAwait(false);
                    await StateAsync(resource, KnownResourceStates.Active).ConfigureAwait(false);
                    break;
                case ExecutableResource or ProjectResource or ContainerResource:
                    await StartProcessAsync(resource, cancellationToken).ConfigureAwait(false);
                    break;
                case IResourceWithConnectionString and not IResourceWithParent:
                    await WaitForDependenciesAsync(resource, cancellationToken).ConfigureAwait(false);
                    await AnnounceConnectionStringAsync(resource, cancellationToken).ConfigureAwait(false);
                    await ((IResourceWithConnectionString)resource).GetConnectionStringAsync(cancellationToken).ConfigureAwait(false);
                    await StateAsync(resource, KnownResourceStates.Running).ConfigureAwait(false);
                    break;
                default:
                    // Any other resource has no process: who added it publishes its state.
                    await notifications.PublishUpdateAsync(resource, s => s).ConfigureAwait(false);
                    break;
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            cancellationToken.ThrowIfCancellationRequested();
        }
        catch (Exception e)
        {
            // One resource that can't start is no reason to stop the others; those that wait for it say so themselves.
            var why = e is DistributedApplicationException ? e.Message : $"{e.Message} ({e.GetType().Name})";
            var state = e is MissingParameterValueException && resource is ParameterResource ? KnownResourceStates.ValueMissing : KnownResourceStates.FailedToStart;
            loggers.GetLogger(resource).DidNotStart(why);
            await notifications.PublishUpdateAsync(resource, s => s with { State = state, Failure = why }).ConfigureAwait(false);
        }
    }

    private async Task StartProcessAsync(IResource resource, CancellationToken cancellationToken)
    {
        var logger = loggers.GetLogger(resource);
        await StateAsync(resource, KnownResourceStates.NotStarted).ConfigureAwait(false);
        await AnnounceConnectionStringAsync(resource, cancellationToken).ConfigureAwait(false);
        await WaitForDependenciesAsync(resource, cancellationToken).ConfigureAwait(false);
        await StateAsync(resource, KnownResourceStates.Starting).ConfigureAwait(false);
        await Eventing.PublishAsync(new BeforeResourceStartedEvent(resource, services), cancellationToken).ConfigureAwait(false);
        var launch = await LaunchAsync(resource, cancellationToken).ConfigureAwait(false);
        lock (_ports)
        {
            _ports.Release(resource);
        }

        cancellationToken.ThrowIfCancellationRequested();
        var process = ChildProcess.Start(launch, logger.Output);
        _running[resource] = new(process, FinishAsync(resource, process));
        var urls = Urls(resource).ToList();
        logger.Runs(process.Id, urls.Count == 0 ? "" : $" at {string.Join(", ", urls.Select(u => u.Url))}");
        await notifications.PublishUpdateAsync(resource, s => s.HasEnded ? s : s with
        {
            State = KnownResourceStates.Running,
            StartTimeStamp = DateTime.UtcNow,
            Urls = [.. urls],
        }).ConfigureAwait(false);
    }

    /// <summary>From the process's start to its end.</summary>
    private async Task FinishAsync(IResource resource, ChildProcess process)
    {
        var code = await process.ExitAsync().ConfigureAwait(false);
        var logger = loggers.GetLogger(resource);
        if (_stopping.IsCancellationRequested)
        {
            logger.Stopped();
        }
        else if (code == 0)
        {
            logger.Ended(code);
        }
        else
        {
            logger.EndedBadly(code);
        }

        await notifications.PublishUpdateAsync(resource, s => s with
        {
            State = resource is ContainerResource ? KnownResourceStates.Exited : KnownResourceStates.Finished,
            ExitCode = code,
            StopTimeStamp = DateTime.UtcNow,
        }).ConfigureAwait(false);
        notifications.TryGetCurrentState(resource.Name, out var last);
        try
        {
            await Eventing.PublishAsync(new ResourceStoppedEvent(resource, services, last!), CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            logger.StoppedHandlerFailed(e.Message);
        }
    }

    private async Task AnnounceConnectionStringAsync(IResource resource, CancellationToken cancellationToken)
    {
        var children = builder.Resources.Where(r => r is IResourceWithParent child && child.Parent == resource);
        foreach (var announced in children.Prepend(resource).Where(r => r is IResourceWithConnectionString))
        {
            await Eventing.PublishAsync(new ConnectionStringAvailableEvent(announced, services), cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<Launch> LaunchAsync(IResource resource, CancellationToken cancellationToken)
    {
        var variables = new Dictionary<string, object>();
        foreach (var endpoint in resource.Annotations.OfType<EndpointAnnotation>().Where(e => e.EnvironmentVariable is not null))
        {
            variables[endpoint.EnvironmentVariable!] = endpoint.AllocatedPort!.Value.ToString(CultureInfo.InvariantCulture);
        }

        var environment = new EnvironmentCallbackContext(builder.ExecutionContext, resource, variables, cancellationToken);
        foreach (var callback in resource.Annotations.OfType<EnvironmentCallbackAnnotation>().ToList())
        {
            await callback.Callback(environment).ConfigureAwait(false);
        }

        var arguments = new CommandLineArgsCallbackContext([], resource, cancellationToken);
        foreach (var callback in resource.Annotations.OfType<CommandLineArgsCallbackAnnotation>().ToList())
        {
            await callback.Callback(arguments).ConfigureAwait(false);
        }

        var args = new List<string>();
        foreach (var arg in arguments.Args)
        {
            args.Add(await TextAsync(arg).ConfigureAwait(false));
        }

        var texts = new Dictionary<string, string>();
        foreach (var (name, value) in variables)
        {
            texts[name] = await TextAsync(value).ConfigureAwait(false);
        }

        return resource switch
        {
            ExecutableResource executable => new(executable.Command, args, executable.WorkingDirectory, texts),
            ContainerResource container => ContainerEngine.Launch(container, args, texts, builder),
            _ => OfProject(),
        };

        async Task<string> TextAsync(object value) =>
            (value is IValueProvider provider ? await provider.GetValueAsync(cancellationToken).ConfigureAwait(false) : value.ToString()) ?? "";

        Launch OfProject()
        {
            var output = resource.Annotations.OfType<ProjectResourceBuilderExtensions.BuiltProject>().Single().Path;
            var folder = Path.GetDirectoryName(resource.Annotations.OfType<IProjectMetadata>().Single().ProjectPath)!;
            return File.Exists(output)
                ? new(DotNet(), [output, .. args], folder, texts)
                : throw new DistributedApplicationException($"it was not built: there is no '{output}'.");
        }
    }

    /// <summary>The dotnet command that this very process runs on.</summary>
    private static string DotNet()
    {
        var name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        var own = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", name));
        return File.Exists(own) ? own : Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? name;
    }

    private static IEnumerable<UrlSnapshot> Urls(IResource resource) => resource is not IResourceWithEndpoints owner ? []
        : resource.Annotations.OfType<EndpointAnnotation>().Select(e => new UrlSnapshot(e.Name, new EndpointReference(owner, e.Name).Url, IsInternal: false));

    private Task StateAsync(IResource resource, string state) => notifications.PublishUpdateAsync(resource, s => s with { State = state });

    private sealed record Running(ChildProcess Process, Task Finished);
}

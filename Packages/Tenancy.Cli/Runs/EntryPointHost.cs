using System.Diagnostics;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Tenancy.Cli.Runs;

/// <summary>
/// Takes the host that another program's entry point builds, as EF's tools and WebApplicationFactory do: the generic
/// host tells a diagnostic listener when it is about to be built and when it is (events HostBuilding and HostBuilt of
/// Microsoft.Extensions.Hosting).
/// </summary>
internal static class EntryPointHost
{
    private const string Listener = "Microsoft.Extensions.Hosting";

    /// <param name="assembly">Has the entry point.</param>
    /// <param name="adjust">Changes its services.</param>
    /// <exception cref="InvalidOperationException">It builds no host, or is this program's own.</exception>
    public static IHost Build(Assembly assembly, Action<IServiceCollection> adjust)
    {
        if (assembly == Assembly.GetEntryAssembly())
        {
            throw new InvalidOperationException(
                $"{assembly.GetName().Name} is the job's own program: name a type of the application that serves, or " +
                "give RunAsync a host's builder.");
        }

        var entry = assembly.EntryPoint ?? throw new InvalidOperationException(
            $"{assembly.GetName().Name} is no program: name a type of the application that serves.");
        using var taken = new Taken(adjust);
        using var all = DiagnosticListener.AllListeners.Subscribe(taken);
        var run = new Thread(() => taken.Run(entry)) { IsBackground = true };
        run.Start();
        return taken.Host.GetAwaiter().GetResult();
    }

    private sealed class Taken(Action<IServiceCollection> adjust)
        : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>, IDisposable
    {
        private static readonly AsyncLocal<Taken?> Current = new();

        private readonly TaskCompletionSource<IHost> _host = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly List<IDisposable> _subscriptions = [];

        public Task<IHost> Host => _host.Task;

        public void Run(MethodInfo entry)
        {
            Current.Value = this;
            try
            {
                // Its files are beside it, wherever the job was started.
                string[] settings =
                [
                    $"--contentRoot={AppContext.BaseDirectory}",
                    $"--applicationName={entry.DeclaringType!.Assembly.GetName().Name}",
                ];
                object?[] arguments = entry.GetParameters().Length == 0 ? [] : [settings];
                entry.Invoke(null, BindingFlags.DoNotWrapExceptions, null, arguments, null);
                _host.TrySetException(new InvalidOperationException(
                    $"{entry.DeclaringType!.Assembly.GetName().Name} ended without building a host."));
            }
            catch (HostAbortedException)
            {
                // As asked.
            }
            catch (Exception e)
            {
                _host.TrySetException(e);
            }
        }

        void IObserver<DiagnosticListener>.OnNext(DiagnosticListener value)
        {
            if (value.Name == Listener)
            {
                _subscriptions.Add(value.Subscribe(this));
            }
        }

        void IObserver<KeyValuePair<string, object?>>.OnNext(KeyValuePair<string, object?> value)
        {
            if (Current.Value != this)
            {
                // Somebody else's host.
                return;
            }

            if (value is { Key: "HostBuilding", Value: IHostBuilder builder })
            {
                builder.ConfigureServices(services =>
                {
                    RemoveServing(services);
                    adjust(services);
                });
            }
            else if (value is { Key: "HostBuilt", Value: IHost host })
            {
                _host.TrySetResult(host);
                // What comes after in the entry point would serve. Programs that catch everything know this exception.
                throw new HostAbortedException();
            }
        }

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }

        public void Dispose() => _subscriptions.ForEach(subscription => subscription.Dispose());

        /// <summary>Telemetry alone goes on: a run is traced.</summary>
        private static void RemoveServing(IServiceCollection services)
        {
            foreach (var service in services.Where(service => service.ServiceType == typeof(IHostedService)
                && service.ImplementationType?.Namespace?.StartsWith("OpenTelemetry", StringComparison.Ordinal)
                    is not true).ToList())
            {
                services.Remove(service);
            }
        }
    }
}

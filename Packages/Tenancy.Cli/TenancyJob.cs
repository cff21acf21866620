using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Tenancy.Cli.Commands;
using Tenancy.Cli.Runs;
using Tenancy.Fleet;

namespace Tenancy.Cli;

/// <summary>
/// The migration job of an application: <c>migrate</c> (the default), <c>status</c>, <c>plan</c>, <c>script</c>,
/// <c>retry</c>, <c>verify</c>, <c>down</c>, <c>halt</c>, <c>ring</c>, <c>check</c>, <c>doctor</c>; <c>list</c>,
/// <c>create</c>, <c>adopt</c>, <c>copy</c>; <c>task</c>, <c>tasks</c>; <c>suspend</c>, <c>resume</c>, <c>archive</c>,
/// <c>rename</c>, <c>export</c>, <c>import</c>, <c>clone</c>, <c>drop</c>, <c>reconcile</c>, <c>move</c>. Run it to its
/// end before the release serves. Exit codes: 0 done, 1 tenants failed, differences found or a number over its limit, 2
/// the database failed, 3 halted, 4 the build's migrations can't be a tenant's, 64 wrong arguments, 130 cancelled.
/// </summary>
public static class TenancyJob
{
    /// <summary>
    /// Runs a command with the services of the application that serves: one line makes a job of it. Its
    /// <c>Program</c> runs until its host is built, and no further: nothing listens, and hosted services don't start.
    /// </summary>
    /// <param name="args">The command line.</param>
    /// <param name="configure">What is added to the job; null for nothing.</param>
    /// <typeparam name="TEntryPoint">A type of the application's assembly, e.g. its <c>Program</c>.</typeparam>
    /// <returns>The exit code.</returns>
    /// <exception cref="InvalidOperationException">That assembly builds no host, or it is this program's
    /// own.</exception>
    public static Task<int> RunAsync<TEntryPoint>(string[] args, Action<TenancyJobBuilder>? configure = null)
        where TEntryPoint : class =>
            RunAsync(args, adjust => EntryPointHost.Build(typeof(TEntryPoint).Assembly, adjust), configure);

    /// <summary>Runs a command with a host of its own.</summary>
    /// <param name="args">The command line. The host has to read its settings from files and the environment.</param>
    /// <param name="create">Makes the host's builder, with <c>AddTenancy</c>.</param>
    /// <param name="configure">What is added to the job; null for nothing.</param>
    /// <returns>The exit code.</returns>
    public static Task<int> RunAsync(
        string[] args, Func<HostApplicationBuilder> create, Action<TenancyJobBuilder>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(create);
        return RunAsync(args, adjust =>
        {
            var builder = create();
            adjust(builder.Services);
            return builder.Build();
        }, configure);
    }

    private static async Task<int> RunAsync(
        string[] args, Func<Action<IServiceCollection>, IHost> build, Action<TenancyJobBuilder>? configure)
    {
        ArgumentNullException.ThrowIfNull(args);
        IdleThreads.Sleep();
        var job = new TenancyJobBuilder();
        configure?.Invoke(job);
        var parsed = new FleetCommands(new(build, job)).Root().Parse(args);
        // A run ends after the groups in hand, which may have a long migration; a second signal ends it at once.
        var result = await parsed.InvokeAsync(new() { ProcessTerminationTimeout = TimeSpan.FromHours(1) });
        // The parser's own code for a wrong argument is 1, which says here that tenants failed.
        return parsed.Errors.Count > 0 ? (int)ExitCode.Usage : result;
    }
}

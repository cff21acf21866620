using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Tenancy.Postgres.Cluster;
using Xunit;

namespace Tests.Integration.Telemetry;

/// <summary>
/// One of the system's programs as a process of its own, so that no other test's spans are among its own.
/// </summary>
internal sealed partial class TracedProgram : IAsyncDisposable
{
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();
    private readonly TaskCompletionSource<string> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private TracedProgram(Process process) => _process = process;

    /// <summary>Calls it; each call is a trace, because no test's own span is sent along.</summary>
    public HttpClient Http { get; } = new(new SocketsHttpHandler { ActivityHeadersPropagator = null });

    public string Output => string.Join(Environment.NewLine, _output);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Starts a program that serves, and waits until it listens.</summary>
    /// <param name="project">E.g. <c>Api</c>.</param>
    /// <param name="receiver">Gets its telemetry, under the project's name in lower case.</param>
    /// <param name="settings">Its environment.</param>
    public static async Task<TracedProgram> ServeAsync(
        string project, OtlpReceiver receiver, params (string Name, string Value)[] settings)
    {
        var program = Start(project, receiver, [], [.. settings, ("ASPNETCORE_URLS", "http://127.0.0.1:0")]);
        var exited = program._process.WaitForExitAsync(Ct);
        Assert.True(await Task.WhenAny(program._listening.Task, exited) != exited, program.Output);
        program.Http.BaseAddress = new(await program._listening.Task);
        program.Http.DefaultRequestHeaders.Authorization = new("Bearer", ApiFactory.OperatorKey);
        return program;
    }

    /// <summary>Runs the migration job to its end.</summary>
    public static async Task<(int ExitCode, string Output)> RunJobAsync(
        OtlpReceiver receiver, string database, string environment, params string[] arguments)
    {
        await using var job = Start("MigrationService", receiver, arguments,
            [("ConnectionStrings__tenants", database), ("DOTNET_ENVIRONMENT", environment)]);
        await job._process.WaitForExitAsync(Ct);
        return (job._process.ExitCode, job.Output);
    }

    /// <summary>Asks it to end, and waits until it has sent what telemetry it holds.</summary>
    public async Task StopAsync()
    {
        if (!_process.HasExited)
        {
            Command.Run(
                TimeSpan.FromSeconds(10), "kill", "-s", "TERM", _process.Id.ToString(CultureInfo.InvariantCulture));
            await _process.WaitForExitAsync(Ct);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        _process.Dispose();
    }

    private static TracedProgram Start(
        string project, OtlpReceiver receiver, string[] arguments, (string Name, string Value)[] settings)
    {
        var assembly = BuiltProgram.Of(project);
        var start = new ProcessStartInfo(BuiltProgram.Host)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetDirectoryName(assembly),
            Environment =
            {
                ["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.Address,
                ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
                ["OTEL_SERVICE_NAME"] = project.ToLowerInvariant(),
                // As Aspire has it in a development environment.
                ["OTEL_TRACES_SAMPLER"] = "always_on",
                ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
                ["OTEL_BLRP_SCHEDULE_DELAY"] = "100",
                ["ASPNETCORE_ENVIRONMENT"] = "Development",
                ["Authentication__OperatorKey"] = ApiFactory.OperatorKey,
            },
        };
        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }

        start.ArgumentList.Add(assembly);
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        var program = new TracedProgram(new() { StartInfo = start });
        program._process.OutputDataReceived += (_, line) => program.Read(line.Data);
        program._process.ErrorDataReceived += (_, line) => program.Read(line.Data);
        program._process.Start();
        program._process.BeginOutputReadLine();
        program._process.BeginErrorReadLine();
        return program;
    }

    private void Read(string? line)
    {
        _output.Enqueue(line ?? "");
        if (line is not null && Listening().Match(line) is { Success: true } listening)
        {
            _listening.TrySetResult(listening.Groups[1].Value);
        }
    }

    [GeneratedRegex(@"Now listening on: (http://\S+)")]
    private static partial Regex Listening();
}

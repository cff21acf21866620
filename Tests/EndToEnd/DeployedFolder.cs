using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Tenancy.Postgres.Cluster;
using Xunit;

namespace Tests.EndToEnd;

/// <summary>The folder that publishing writes, and the page's commands run in it.</summary>
internal sealed partial class DeployedFolder : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly ConcurrentBag<RunningProgram> _running = [];

    private DeployedFolder(string path) => Path = path;

    public string Path { get; }

    private static CancellationToken Limit => CancellationTokenSource.CreateLinkedTokenSource(
        TestContext.Current.CancellationToken, new CancellationTokenSource(Patience).Token).Token;

    /// <summary>
    /// Runs the page's command that publishes without the Aspire CLI. The programs are those that the tests were built
    /// with, so nothing is compiled.
    /// </summary>
    public static async Task<(DeployedFolder Folder, string Output)> PublishAsync()
    {
        var folder = new DeployedFolder(Directory.CreateTempSubdirectory("deploy-").FullName);
        var build = AppContext.BaseDirectory.TrimEnd('/').EndsWith("release", StringComparison.Ordinal)
            ? "Release"
            : "Debug";
        var command = DeployPage.Commands("Publish the programs").Trim()
            .Replace("dotnet run ", $"dotnet run --no-build --configuration {build} ", StringComparison.Ordinal)
            .Replace("--output-path out",
                $"--output-path {folder.Path} '--Publish:Arguments=--no-build --configuration {build}'",
                StringComparison.Ordinal);
        var repository = System.IO.Path.GetDirectoryName(Projects.AppHost.ProjectPath)!;
        var publish = folder.Start(command, repository);
        Assert.True(await publish.EndAsync(Limit) == 0, publish.Output);
        return (folder, publish.Output);
    }

    /// <summary>
    /// Follows "Write the settings": copies the examples, then puts values in. A value for a setting that the example
    /// doesn't have is an error.
    /// </summary>
    public async Task WriteSettingsAsync(string program, params (string Name, string Value)[] settings)
    {
        var file = System.IO.Path.Combine(Path, $"{program}.env");
        var text = await File.ReadAllTextAsync(file, Limit);
        foreach (var (name, value) in settings)
        {
            var line = new Regex($"^{Regex.Escape(name)}=\".*\"$", RegexOptions.Multiline);
            Assert.Single(line.Matches(text));
            text = line.Replace(text, $"{name}=\"{value.Replace("$", "$$", StringComparison.Ordinal)}\"");
        }

        Assert.DoesNotContain("CHANGE_ME", text, StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, text, Limit);
    }

    /// <summary>Runs a section's commands to their end.</summary>
    public async Task<(int ExitCode, string Output)> RunAsync(string heading)
    {
        var program = Start(DeployPage.Commands(heading), Path);
        return (await program.EndAsync(Limit), program.Output);
    }

    /// <summary>Starts a section's program and waits until its /health answers 200.</summary>
    public async Task<RunningProgram> ServeAsync(string heading, Uri address)
    {
        var program = Start(DeployPage.Commands(heading), Path);
        using var http = new HttpClient { BaseAddress = address };
        while (true)
        {
            Assert.False(program.HasEnded, program.Output);
            try
            {
                using var health = await http.GetAsync("/health", Limit);
                if (health.StatusCode == HttpStatusCode.OK)
                {
                    return program;
                }
            }
            catch (HttpRequestException)
            {
                // It doesn't listen yet.
            }

            await Task.Delay(50, Limit);
        }
    }

    public static Uri FreeAddress()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return new(
            string.Create(
                CultureInfo.InvariantCulture, $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}"));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var program in _running)
        {
            await program.DisposeAsync();
        }

        Directory.Delete(Path, recursive: true);
    }

    private RunningProgram Start(string commands, string folder)
    {
        var program = new RunningProgram(commands, folder);
        _running.Add(program);
        return program;
    }
}

/// <summary>A shell that runs commands of the page; the last of them takes its place.</summary>
internal sealed class RunningProgram : IAsyncDisposable
{
    private readonly ConcurrentQueue<string> _lines = [];
    private readonly Process _process;

    public RunningProgram(string commands, string folder)
    {
        var start = new ProcessStartInfo("bash", ["-e", "-c", commands]) { WorkingDirectory = folder,
            RedirectStandardOutput = true, RedirectStandardError = true };
        // Only the page's files say what the programs use.
        foreach (var name in start.Environment.Keys
            .Where(name => name.StartsWith("ConnectionStrings__", StringComparison.Ordinal)
                || name.Contains("_ENVIRONMENT", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(name);
        }

        _process = new() { StartInfo = start };
        _process.OutputDataReceived += (_, line) => _lines.Enqueue(line.Data ?? "");
        _process.ErrorDataReceived += (_, line) => _lines.Enqueue(line.Data ?? "");
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string Output => string.Join('\n', _lines);

    public bool HasEnded => _process.HasExited;

    public async Task<int> EndAsync(CancellationToken ct)
    {
        await _process.WaitForExitAsync(ct);
        return _process.ExitCode;
    }

    /// <summary>Asks it to end, as systemd does.</summary>
    public Task<int> StopAsync(CancellationToken ct)
    {
        Command.Run(TimeSpan.FromSeconds(10), "kill", "-s", "TERM", _process.Id.ToString(CultureInfo.InvariantCulture));
        return EndAsync(ct);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }
}

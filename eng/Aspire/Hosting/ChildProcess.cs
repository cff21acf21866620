using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Aspire.Hosting;

/// <summary>What to start: a command with its arguments, working directory and environment on top of the AppHost's.</summary>
internal sealed record Launch(string Command, IReadOnlyList<string> Args, string WorkingDirectory, IReadOnlyDictionary<string, string> Environment);

/// <summary>
/// A process that never outlives the AppHost. On Unix it runs under a guard, a shell in a session of its own, that holds the reading end of a
/// pipe from the AppHost: the pipe ends when the AppHost does, however it does, and the guard then ends the whole session's group.
/// </summary>
internal sealed class ChildProcess
{
    private const int Interrupt = 2, Kill = 9, Terminate = 15;

    // The child gets neither the pipe nor the guard's signal handling. wait returns early when a signal comes, so it is asked again; 127 from a
    // second question means "already answered". The watcher outlives TERM, so that it can still send KILL. The output is
    // the child's alone: the guard's shell would write "Terminated" to it.
    private const string Guard = """
        exec 3<&0 </dev/null
        signalled= code=127
        trap 'signalled=1; kill -TERM $child 2>/dev/null' TERM
        trap 'signalled=1; kill -INT $child 2>/dev/null' INT
        trap '' HUP
        (trap - TERM INT HUP; exec "$@") 3<&- &
        child=$!
        (trap '' TERM INT; read -r _ <&3; kill -TERM -$$; n=0; while [ $n -lt 20 ] && kill -0 $child; do sleep 0.1; n=$((n+1)); done; kill -KILL -$$) >/dev/null 2>&1 &
        watcher=$!
        exec 3<&- >/dev/null 2>&1
        while :; do
          wait $child; answer=$?
          [ $answer -ne 127 ] && code=$answer
          [ -z "$signalled" ] && break
          signalled=
        done
        kill -KILL $watcher 2>/dev/null
        exit $code
        """;

    // Left out of what a child inherits: they are about the AppHost itself.
    private static readonly string[] OwnVariables = ["ASPNETCORE_URLS", "DOTNET_LAUNCH_PROFILE"];

    private readonly Process _process;
    private readonly bool _guarded;

    private ChildProcess(Process process, bool guarded) => (_process, _guarded) = (process, guarded);

    public int Id => _process.Id;

    /// <exception cref="DistributedApplicationException">There is no such command or working directory.</exception>
    public static ChildProcess Start(Launch launch, Action<string> line)
    {
        if (!Directory.Exists(launch.WorkingDirectory))
        {
            throw new DistributedApplicationException($"There is no folder '{launch.WorkingDirectory}' to work in.");
        }

        var command = Find(launch.Command, launch.WorkingDirectory) ?? throw new DistributedApplicationException($"There is no command '{launch.Command}'.");
        var guarded = !OperatingSystem.IsWindows();
        string[] guard = !guarded ? [] : Find("setsid", "/") is { } setsid ? [setsid, "/bin/sh", "-c", Guard, "guard"] : ["/bin/sh", "-c", Guard, "guard"];
        string[] all = [.. guard, command, .. launch.Args];
        var start = new ProcessStartInfo(all[0], all[1..])
        {
            WorkingDirectory = launch.WorkingDirectory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Array.ForEach(OwnVariables, v => start.Environment.Remove(v));
        foreach (var (name, value) in launch.Environment)
        {
            start.Environment[name] = value;
        }

        var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, e) => Write(e.Data);
        process.ErrorDataReceived += (_, e) => Write(e.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new(process, guarded);

        void Write(string? text)
        {
            if (text is not null)
            {
                line(text);
            }
        }
    }

    /// <summary>The exit code, when the process has ended; what it left behind in its group is ended with it.</summary>
    public async Task<int> ExitAsync()
    {
        // The process alone: a grandchild that holds its output open must not hold its end back.
        while (!_process.HasExited)
        {
            _process.EnableRaisingEvents = true;
            var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _process.Exited += (_, _) => ended.TrySetResult();
            if (!_process.HasExited)
            {
                await ended.Task.ConfigureAwait(false);
            }
        }

        SignalGroup(Kill);
        using var drained = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _process.WaitForExitAsync(drained.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return _process.ExitCode;
    }

    /// <summary>Asks it to end.</summary>
    public void Stop()
    {
        if (_process.HasExited)
        {
            return;
        }

        if (_guarded)
        {
            _ = Signal(_process.Id, Terminate);
        }
        else
        {
            _process.Kill(entireProcessTree: true);
        }
    }

    /// <summary>Asks again, with the signal that ends what waits for its clients at the first one.</summary>
    public void Insist()
    {
        if (_guarded && !_process.HasExited)
        {
            _ = Signal(_process.Id, Interrupt);
        }
    }

    public void End()
    {
        SignalGroup(Kill);
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }
    }

    private void SignalGroup(int signal)
    {
        if (_guarded)
        {
            _ = Signal(-_process.Id, signal);
        }
    }

    private static string? Find(string command, string workingDirectory)
    {
        if (command.Contains('/', StringComparison.Ordinal) || Path.IsPathRooted(command))
        {
            var path = Path.GetFullPath(command, workingDirectory);
            return File.Exists(path) ? path : null;
        }

        string[] endings = OperatingSystem.IsWindows() ? ["", ".exe", ".cmd", ".bat"] : [""];
        return (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .SelectMany(folder => endings.Select(ending => Path.Combine(folder, command + ending)))
            .FirstOrDefault(File.Exists);
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Signal(int process, int signal);
}

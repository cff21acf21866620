using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace Tenancy.Postgres.Cluster;

/// <summary>
/// A short command's output and exit code. 127: there is no such command. Null: its time was up.
/// </summary>
internal sealed record Command(int? ExitCode, string Output)
{
    public bool Succeeded => ExitCode == 0;

    /// <summary>
    /// Runs a command to its end, without a shell between. One that outlives <paramref name="timeout"/> is killed with
    /// its children.
    /// </summary>
    public static Command Run(TimeSpan timeout, params IReadOnlyList<string> command)
    {
        var output = new StringBuilder();
        // The root folder, because the account that a command drops to may not be allowed into ours.
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo(command[0], command.Skip(1))
            {
                WorkingDirectory = Path.GetPathRoot(AppContext.BaseDirectory),
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        process.OutputDataReceived += (_, line) => Append(line.Data);
        process.ErrorDataReceived += (_, line) => Append(line.Data);

        try
        {
            process.Start();
        }
        catch (Win32Exception problem)
        {
            return new(127, problem.Message);
        }

        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (!process.WaitForExit(timeout))
        {
            process.Kill(entireProcessTree: true);
            return new(null, "It didn't end in time.");
        }

        // Without a limit, so that the last lines are read too.
        process.WaitForExit();
        return new(process.ExitCode, output.ToString().Trim());

        void Append(string? line)
        {
            lock (output)
            {
                output.AppendLine(line);
            }
        }
    }
}

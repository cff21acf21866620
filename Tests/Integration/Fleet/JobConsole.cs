using System.Text;
using Spectre.Console;

namespace Tests.Integration.Fleet;

/// <summary>
/// A console for each job that runs in the tests' own process. The process has one only; what is written to it goes to
/// the job whose code writes.
/// </summary>
internal static class JobConsole
{
    private static readonly AsyncLocal<Streams?> Current = new();

    static JobConsole()
    {
        Console.SetOut(new Writer(Console.Out, streams => streams.Output));
        Console.SetError(new Writer(Console.Error, streams => streams.Error));
        AnsiConsole.Console = AnsiConsole.Create(new()
        {
            Ansi = AnsiSupport.No, Interactive = InteractionSupport.No, Out = new AnsiConsoleOutput(Console.Out),
        });
    }

    /// <returns>The exit code, and what was written: first to standard output, then to standard error.</returns>
    public static async Task<(int ExitCode, string Output)> RunAsync(Func<Task<int>> job)
    {
        var streams = new Streams();
        Current.Value = streams;
        var code = await job();
        return (code, $"{streams.Output}{streams.Error}");
    }

    private sealed class Streams
    {
        public StringWriter Output { get; } = new();

        public StringWriter Error { get; } = new();
    }

    /// <param name="usual">Where to what no job writes.</param>
    /// <param name="stream">Which of a job's.</param>
    private sealed class Writer(TextWriter usual, Func<Streams, TextWriter> stream) : TextWriter
    {
        public override Encoding Encoding => usual.Encoding;

        public override void Write(char value) => To.Write(value);

        public override void Write(char[] buffer, int index, int count) => To.Write(buffer, index, count);

        public override void Write(string? value) => To.Write(value);

        public override void WriteLine(string? value) => To.WriteLine(value);

        public override void Flush() => To.Flush();

        private TextWriter To => Current.Value is { } job ? stream(job) : usual;
    }
}

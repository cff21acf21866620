using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.ApplicationModel
{
    /// <summary>A logger per resource: its process's lines, and sentences about it.</summary>
    public class ResourceLoggerService
    {
        private readonly ILoggerFactory _loggers;
        private readonly string _application;

        internal ResourceLoggerService(ILoggerFactory loggers, string application) => (_loggers, _application) = (loggers, application);

        public ILogger GetLogger(IResource resource) => GetLogger(resource.Name);

        public ILogger GetLogger(string resourceName) => _loggers.CreateLogger($"{_application}.Resources.{resourceName}");
    }
}

namespace Aspire.Hosting
{
    /// <summary>Writes a line per message, with the resource's name in front; in colours on a terminal only.</summary>
    internal sealed class ConsoleLines : ILoggerProvider
    {
        public static readonly ConsoleLines Provider = new();

        private static readonly ConsoleColor[] Colors =
            [ConsoleColor.Cyan, ConsoleColor.Green, ConsoleColor.Magenta, ConsoleColor.Yellow, ConsoleColor.Blue, ConsoleColor.DarkCyan, ConsoleColor.DarkGreen];

        private readonly Lock _gate = new();
        private readonly List<string> _names = [];
        private int _width = 8;

        public void Reserve(IEnumerable<string> names) => _width = Math.Max(_width, names.Select(n => n.Length).DefaultIfEmpty().Max());

        public ILogger CreateLogger(string categoryName)
        {
            var resource = categoryName.IndexOf(".Resources.", StringComparison.Ordinal);
            return new Lines(this, resource < 0 ? "apphost" : categoryName[(resource + ".Resources.".Length)..]);
        }

        public void Dispose()
        {
            // Nothing is held: the console is the process's.
        }

        public void Write(string name, string text)
        {
            lock (_gate)
            {
                if (!_names.Contains(name))
                {
                    _names.Add(name);
                }

                foreach (var line in text.Split('\n'))
                {
                    if (!Console.IsOutputRedirected)
                    {
                        Console.ForegroundColor = Colors[_names.IndexOf(name) % Colors.Length];
                    }

                    Console.Write($"{name.PadRight(_width)} | ");
                    if (!Console.IsOutputRedirected)
                    {
                        Console.ResetColor();
                    }

                    Console.WriteLine(line.TrimEnd('\r'));
                }
            }
        }

        private sealed class Lines(ConsoleLines console, string name) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

            public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            {
                var level = logLevel switch { LogLevel.Warning => "warning: ", LogLevel.Error or LogLevel.Critical => "error: ", _ => "" };
                console.Write(name, level + formatter(state, exception) + (exception is null ? "" : $"\n{exception}"));
            }
        }
    }

    internal static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "is stopped.")]
        public static partial void Stopped(this ILogger logger);

        [LoggerMessage(LogLevel.Information, "{Line}")]
        public static partial void Output(this ILogger logger, string line);

        [LoggerMessage(LogLevel.Information, "waits for {What}.")]
        public static partial void Waits(this ILogger logger, string what);

        [LoggerMessage(LogLevel.Warning, "still waits for {What}.")]
        public static partial void StillWaits(this ILogger logger, string what);

        [LoggerMessage(LogLevel.Information, "runs as process {Id}{Where}.")]
        public static partial void Runs(this ILogger logger, int id, string where);

        [LoggerMessage(LogLevel.Information, "is healthy.")]
        public static partial void Healthy(this ILogger logger);

        [LoggerMessage(LogLevel.Warning, "is not healthy: {Why}.")]
        public static partial void NotHealthy(this ILogger logger, string why);

        [LoggerMessage(LogLevel.Information, "ended with exit code {Code}.")]
        public static partial void Ended(this ILogger logger, int code);

        [LoggerMessage(LogLevel.Error, "ended with exit code {Code}.")]
        public static partial void EndedBadly(this ILogger logger, int code);

        [LoggerMessage(LogLevel.Error, "did not start: {Why}")]
        public static partial void DidNotStart(this ILogger logger, string why);

        [LoggerMessage(LogLevel.Error, "did not get ready: {Why}")]
        public static partial void DidNotGetReady(this ILogger logger, string why);

        [LoggerMessage(LogLevel.Warning, "did not stop within {Seconds} seconds and was killed.")]
        public static partial void Killed(this ILogger logger, int seconds);

        [LoggerMessage(LogLevel.Error, "a subscriber to its end failed: {Why}")]
        public static partial void StoppedHandlerFailed(this ILogger logger, string why);
    }
}

using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Tests.EndToEnd;

/// <summary>What an AppHost says in its console.</summary>
public sealed class ConsoleLines : ILoggerProvider, ILogger
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly ConcurrentQueue<string> _messages = [];

    /// <summary>All messages so far that contain these words.</summary>
    public IReadOnlyList<string> With(string words) =>
        [.. _messages.Where(message => message.Contains(words, StringComparison.Ordinal))];

    /// <summary>The first message with these words, as soon as it comes. The test fails after three minutes.</summary>
    public async Task<string> SaysAsync(string words)
    {
        var started = Stopwatch.GetTimestamp();
        while (With(words).Count == 0)
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < Patience, $"The console doesn't say '{words}'.");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        return With(words)[0];
    }

    // A test's AppHost repeats the logs of its resources; the real one doesn't.
    public ILogger CreateLogger(string categoryName) =>
        categoryName.Contains(".Resources.", StringComparison.Ordinal) ? NullLogger.Instance : this;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter) =>
        _messages.Enqueue(formatter(state, exception));

    public void Dispose()
    {
    }
}

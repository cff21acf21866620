using Microsoft.Extensions.Logging;

namespace Tests.Integration.Customers;

/// <summary>
/// Does something at the n-th moment at which a data source says that it is about to send a command or a COPY, or has
/// its answer.
/// </summary>
internal sealed class Interrupter : ILoggerProvider, ILogger
{
    private Action? _action;
    private int _left;

    /// <summary>Whether it has come to that.</summary>
    public bool Fired { get; private set; }

    /// <param name="moment">From 1.</param>
    /// <param name="action">What is done then, before the caller goes on.</param>
    public void Arm(int moment, Action action) => (_left, _action, Fired) = (moment, action, false);

    public void Disarm() => _left = 0;

    public ILogger CreateLogger(string categoryName) =>
        categoryName is "Npgsql.Command" or "Npgsql.Copy" ? this : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        if (_left > 0 && --_left == 0)
        {
            Fired = true;
            _action!();
        }
    }

    public void Dispose()
    {
    }
}

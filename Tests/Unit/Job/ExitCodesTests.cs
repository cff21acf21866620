using Microsoft.Extensions.Logging;
using Tenancy;
using Tenancy.Cli.Commands;
using Xunit;

namespace Tests.Unit.Job;

public sealed class ExitCodesTests
{
    [Fact]
    public async Task A_build_that_no_customer_can_get_is_blamed_and_not_the_database()
    {
        var log = new Words();

        var code = await JobHost.TellAsync(
            log, new TenantMigrationException("Migration 20260101000000_X does what no tenant's migration may."), false,
            "customer");

        Assert.Equal(4, (int)code);
        Assert.Equal(
            "This build's migrations can't be applied to customers' schemas. The database is not the cause. " +
            "Migration 20260101000000_X does what no tenant's migration may.", log.Last);
    }

    private sealed class Words : ILogger
    {
        public string? Last { get; private set; }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) => Last = formatter(state, exception);
    }
}

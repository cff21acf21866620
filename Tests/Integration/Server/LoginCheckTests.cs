using System.Collections.Concurrent;
using Tenancy.Hosting.Sources;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Npgsql;
using Xunit;

namespace Tests.Integration.Server;

/// <summary>A login that the server refuses waits for nothing: the AppHost says so.</summary>
public sealed class LoginCheckTests(App app) : IDisposable
{
    private readonly Errors _console = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_lost_password_is_told_once_with_the_ways_out()
    {
        var check = Check(login => login.Password = "lost",
            refusal => RefusedLogin.OfContainer(refusal, "acme", new ContainerEngine("docker"), "Shop.AppHost"));

        var first = await check.CheckHealthAsync(new(), Ct);
        await check.CheckHealthAsync(new(), Ct);

        Assert.Equal(HealthStatus.Unhealthy, first.Status);
        Assert.Contains("user-secrets --project Shop.AppHost set Parameters:postgres-password", first.Description,
            StringComparison.Ordinal);
        Assert.Contains("docker volume rm acme", first.Description, StringComparison.Ordinal);
        Assert.Equal([first.Description], _console.Lines);
    }

    [Fact]
    public async Task A_configured_login_that_is_refused_is_told_without_its_password()
    {
        var check = Configured(login => login.Password = "a wrong one");

        var health = await check.CheckHealthAsync(new(), Ct);

        Assert.Contains(
            $"refuses the login '{new NpgsqlConnectionStringBuilder(app.ConnectionString).Username}' of " +
            "ConnectionStrings:tenants (28P01", health.Description, StringComparison.Ordinal);
        Assert.DoesNotContain("a wrong one", health.Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_configured_database_that_does_not_exist_is_told()
    {
        var health = await Configured(login => login.Database = "nowhere").CheckHealthAsync(new(), Ct);

        Assert.Contains("CREATE DATABASE \"nowhere\"", health.Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_login_that_is_let_in_is_healthy()
    {
        Assert.Equal(HealthStatus.Healthy, (await Configured(_ => { }).CheckHealthAsync(new(), Ct)).Status);
        Assert.Empty(_console.Lines);
    }

    [Fact]
    public async Task A_server_that_is_not_there_yet_is_unhealthy_and_no_news()
    {
        var health = await Configured(login => login.Port = 1).CheckHealthAsync(new(), Ct);

        Assert.Equal(HealthStatus.Unhealthy, health.Status);
        Assert.Empty(_console.Lines);
    }

    public void Dispose() => _console.Dispose();

    private LoginCheck Configured(Action<NpgsqlConnectionStringBuilder> change) =>
        Check(change, refusal => RefusedLogin.OfConfigured(refusal, Changed(change), "tenants"));

    private LoginCheck Check(Action<NpgsqlConnectionStringBuilder> change, Func<PostgresException, string?> explain)
    {
        var services = new ServiceCollection()
            .AddLogging(logging => logging.AddProvider(_console))
            .AddSingleton<ResourceLoggerService>()
            .BuildServiceProvider();
        var resource = new ConnectionStringResource(
            "tenants", ReferenceExpression.Create($"{Changed(change).ConnectionString}"));
        return new(services, resource, database: null, explain);
    }

    private NpgsqlConnectionStringBuilder Changed(Action<NpgsqlConnectionStringBuilder> change)
    {
        var login = new NpgsqlConnectionStringBuilder(app.ConnectionString);
        change(login);
        return login;
    }

    private sealed class Errors : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel == LogLevel.Error;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                Lines.Enqueue(formatter(state, exception));
            }
        }

        public void Dispose()
        {
        }
    }
}

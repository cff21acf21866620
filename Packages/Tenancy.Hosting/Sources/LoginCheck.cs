using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Tenancy.Hosting.Sources;

/// <summary>
/// The health of a login. When the server refuses it, the health report, the resource's log and the AppHost's console
/// say what to do; the console once for each refusal that is new.
/// </summary>
internal sealed partial class LoginCheck(IServiceProvider services, IResourceWithConnectionString server,
    string? database, Func<PostgresException, string?> explain) : IHealthCheck
{
    private const int PatienceInSeconds = 5;

    private string? _told;

    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            var settings = new NpgsqlConnectionStringBuilder(await server.GetConnectionStringAsync(cancellationToken))
            {
                Timeout = PatienceInSeconds,
                Pooling = false,        // a pool would outlive the server, and offer its dead connections to the next one
            };
            settings.Database = database ?? settings.Database;
            await using var connection = new NpgsqlConnection(settings.ConnectionString);
            await connection.OpenAsync(cancellationToken);
            _told = null;
            return HealthCheckResult.Healthy();
        }
        catch (PostgresException refusal) when (explain(refusal) is { } what)
        {
            if (_told != what)
            {
                _told = what;
                LogRefused(
                    services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(TenancyHosting).Namespace!), what);
                LogRefused(services.GetRequiredService<ResourceLoggerService>().GetLogger(server), what);
            }

            return HealthCheckResult.Unhealthy(what);
        }
        catch (NpgsqlException problem)
        {
            return HealthCheckResult.Unhealthy(problem.Message);
        }
    }

    [LoggerMessage(3, LogLevel.Error, "{What}")]
    private static partial void LogRefused(ILogger logger, string what);
}

/// <summary>Adds it to a resource.</summary>
internal static class LoginCheckRegistration
{
    /// <param name="server">The resource whose connection string is tried.</param>
    /// <param name="database">The database to connect to; null for the connection string's own.</param>
    /// <param name="explain">What to do about a refusal; null for one that ends by itself.</param>
    public static IResourceBuilder<T> WithLoginCheck<T>(
        this IResourceBuilder<T> server, string? database, Func<PostgresException, string?> explain)
        where T : IResourceWithConnectionString
    {
        LoginCheck? check = null;
        var name = $"{server.Resource.Name}_login";
        server.ApplicationBuilder.Services.AddHealthChecks().Add(new(
            name, services => check ??= new(services, server.Resource, database, explain), HealthStatus.Unhealthy,
            tags: null));
        return server.WithHealthCheck(name);
    }
}

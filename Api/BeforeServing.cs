using System.Diagnostics;
using Data;
using Npgsql;
using OpenTelemetry.Trace;
using Tenancy;

namespace Api;

/// <summary>What has to hold before the first request, so that a start fails and not a customer's request.</summary>
internal static partial class BeforeServing
{
    /// <summary>How often a start looks for PostgreSQL, a second apart.</summary>
    private const int Attempts = 5;

    private static readonly ActivitySource Source = new(nameof(Api));

    /// <summary>
    /// Checks, starts and serves until the process is told to end. All that happens until the first request can be
    /// served is one trace.
    /// </summary>
    /// <exception cref="InvalidOperationException">The database can't be served from; the message says why.</exception>
    public static async Task CheckAndServeAsync(this WebApplication app)
    {
        // Disposing of it sends what telemetry still holds.
        await using var disposing = app;
        // It listens once it exists, and the host makes it at its start: too late for the checks.
        _ = app.Services.GetService<TracerProvider>();
        using (var start = Source.StartActivity("start api"))
        {
            try
            {
                await app.CheckWithPatienceAsync();
                await app.StartAsync();
            }
            catch (Exception e)
            {
                start?.SetStatus(ActivityStatusCode.Error, e.Message);
                throw;
            }
        }

        await app.WaitForShutdownAsync();
    }

    /// <summary>
    /// A connection has two seconds, for requests' sake. A start has more: a busy machine may need them, and nobody
    /// waits for an answer.
    /// </summary>
    private static async Task CheckWithPatienceAsync(this WebApplication app)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await app.CheckAsync();
                return;
            }
            catch (Exception e) when (attempt < Attempts && Unavailable.Find(e) is { } error && error.IsAbsence())
            {
                LogWaits(app.Logger, attempt, Attempts, error.Message);
                await Task.Delay(TimeSpan.FromSeconds(1), app.Lifetime.ApplicationStopping);
            }
        }
    }

    private static async Task CheckAsync(this WebApplication app)
    {
        var own = app.Services.GetRequiredService<TenantLogin>().IsOwn;
        if (!app.Configuration.MayCreateCustomers())
        {
            if (!own)
            {
                throw new InvalidOperationException(
                    $"ConnectionStrings:{DataRegistration.RegistryConnectionName} reads who the customers are and " +
                    "nothing of theirs. " +
                    $"Configure ConnectionStrings:{DataRegistration.ApiConnectionName}, the login that " +
                    "serves them, too.");
            }

            await LogInAsync(
                app.Services.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.OwnerKey),
                DataRegistration.RegistryConnectionName);
            LogCreatesNobody(app.Logger, DataRegistration.ConnectionName);
        }

        await TenantPlaceholder.RefuseIfItExistsAsync(
            app.Services.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.OwnerKey));
        if (own)
        {
            await LogInAsync(app.Services.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.TenantsKey),
                DataRegistration.ApiConnectionName);
        }
        else
        {
            LogServesAsOwner(app.Logger, DataRegistration.ApiConnectionName, DataRegistration.ConnectionName);
        }

        await SharedOperators.RefuseUnseenAsync(
            app.Services.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.TenantsKey),
            app.Services.GetRequiredService<TenancyOptions>());
        await app.Services.GetRequiredService<TenancyPools>().ConnectAsync();
        // A migration that can't be rewritten stops the start, too, and no customer waits for the others to be
        // compiled.
        app.Services.GetRequiredService<CompiledMigrations>().Compile();
    }

    private static async Task LogInAsync(NpgsqlDataSource tenants, string name)
    {
        try
        {
            await using var connection = await tenants.OpenConnectionAsync();
        }
        catch (PostgresException e) when (e.SqlState.StartsWith("28", StringComparison.Ordinal))
        {
            throw new InvalidOperationException(
                $"The login of ConnectionStrings:{name} is refused ({e.MessageText}). The migration job makes it, " +
                "and sets its " +
                "password: run the job with the same connection strings first.", e);
        }
    }

    [LoggerMessage(LogLevel.Warning, "PostgreSQL doesn't answer (attempt {Attempt} of {Attempts}): {Message}")]
    private static partial void LogWaits(ILogger log, int attempt, int attempts, string message);

    [LoggerMessage(LogLevel.Information,
        "This API has no ConnectionStrings:{Owner}, so it doesn't create customers. The migration job's command " +
        "create does.")]
    private static partial void LogCreatesNobody(ILogger log, string owner);

    [LoggerMessage(LogLevel.Warning,
        "Customers are served with the owner's rights: a statement that escapes the library's guard could alter or " +
        "drop any customer's tables. Configure " +
        "ConnectionStrings:{Api}, like ConnectionStrings:{Owner} with a user name and a password of its own, for the " +
        "migration job, which makes that login, and here.")]
    private static partial void LogServesAsOwner(ILogger log, string api, string owner);
}

using Data;
using Npgsql;
using Tenancy;

namespace Api;

/// <summary>What has to hold before the first request, so that a start fails and not a customer's request.</summary>
internal static partial class BeforeServing
{
    /// <exception cref="InvalidOperationException">The database can't be served from; the message says why.</exception>
    public static async Task CheckAsync(this WebApplication app)
    {
        await TenantPlaceholder.RefuseIfItExistsAsync(app.Services.GetRequiredService<NpgsqlDataSource>());
        if (app.Services.GetRequiredService<TenantLogin>().IsOwn)
        {
            await LogInAsync(app.Services.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.TenantsKey));
        }
        else
        {
            LogServesAsOwner(app.Logger, DataRegistration.ApiConnectionName, DataRegistration.ConnectionName);
        }

        // A migration that can't be stamped stops the start, too, and no customer waits for the others to be compiled.
        app.Services.GetRequiredService<CompiledMigrations>().Compile();
    }

    private static async Task LogInAsync(NpgsqlDataSource tenants)
    {
        try
        {
            await using var connection = await tenants.OpenConnectionAsync();
        }
        catch (PostgresException e) when (e.SqlState.StartsWith("28", StringComparison.Ordinal))
        {
            throw new InvalidOperationException(
                $"The login of ConnectionStrings:{DataRegistration.ApiConnectionName} is refused ({e.MessageText}). The migration job makes it, and sets its " +
                "password: run the job with the same two connection strings first.", e);
        }
    }

    [LoggerMessage(LogLevel.Warning,
        "Customers are served with the owner's rights: a statement that escapes the library's guard could alter or drop any customer's tables. Configure " +
        "ConnectionStrings:{Api}, like ConnectionStrings:{Owner} with a user name and a password of its own, for the migration job, which makes that login, and here.")]
    private static partial void LogServesAsOwner(ILogger log, string api, string owner);
}

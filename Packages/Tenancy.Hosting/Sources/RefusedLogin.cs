using Npgsql;

namespace Tenancy.Hosting.Sources;

/// <summary>
/// Instructions for a refused login or a missing database. Waiting alone never ends either.
/// </summary>
internal static class RefusedLogin
{
    /// <summary>
    /// Of a container: its data keeps the password that it was made with, whatever the AppHost's is today.
    /// </summary>
    public static string? OfContainer(
        PostgresException refusal, string volume, ContainerEngine engine, string project, string image = Image) =>
        refusal.SqlState != PostgresErrorCodes.InvalidPassword ? null : $"""
            PostgreSQL refuses the AppHost's password (28P01). The data in the container volume '{volume}'
            was made with another password than the user secret 'Parameters:postgres-password' has now. The secret was lost,
            or another account made the data, or 'aspire start --isolated' did, which has secrets of its own.
            Stop the AppHost, and do one of these:
              1. put the password back:    dotnet user-secrets --project {project} set Parameters:postgres-password THE_OLD_ONE
              2. give the data a new one:  dotnet user-secrets --project {project} set Parameters:postgres-password A_NEW_ONE
                                           {engine.Name} run --rm --user postgres --entrypoint sh --volume {volume}:/var/lib/postgresql {image} -c "echo \"ALTER USER postgres PASSWORD 'A_NEW_ONE'\" | postgres --single -D /var/lib/postgresql/18/docker postgres"
              3. use another volume:       --Postgres:DataVolume=...
              4. delete the data:          {engine.Name} volume rm {volume}
            """;

    /// <summary>Of a configured connection string.</summary>
    public static string? OfConfigured(
        PostgresException refusal, NpgsqlConnectionStringBuilder told, string name) =>
        refusal.SqlState switch
        {
            PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification => $"""
                PostgreSQL on '{told.Host}:{told.Port}' refuses the login '{told.Username}' of ConnectionStrings:{name} ({refusal.SqlState}: {refusal.MessageText}).
                Correct the user or the password there and start the AppHost again; or give that login this password on the server, and the start goes on by itself.
                """,
            PostgresErrorCodes.InvalidCatalogName => $"""
                PostgreSQL on '{told.Host}:{told.Port}' has no database '{told.Database}' (3D000), which ConnectionStrings:{name} names.
                Create it (CREATE DATABASE "{told.Database}"), and the start goes on by itself; or correct the name there and start the AppHost again.
                """,
            _ => null,
        };

    // Aspire's default image.
    private const string Image = "docker.io/library/postgres:18.3";
}

using Microsoft.Extensions.Logging;
using Npgsql;
using Tenancy.Roles;

namespace Tenancy;

/// <summary>
/// Makes sure that the login of <see cref="TenancyOptions.TenantConnectionString"/> exists, has the password that is configured and is a
/// member of the role that serves tenants: once per start, by a login that may create roles.
/// </summary>
public sealed partial class TenantLogin(NpgsqlDataSource database, TenancyOptions options, ILogger<TenantLogin> log)
{
    private const int MostAttempts = 5;

    private readonly NpgsqlConnectionStringBuilder _owner = new(options.ConnectionString);
    private readonly NpgsqlConnectionStringBuilder _login = new(options.TenantConnectionString);

    /// <summary>Whether tenants are served by a login of their own: without one, whatever the owner may do, a request's statement may do.</summary>
    public bool IsOwn => _login.Username is { Length: > 0 } login && login != _owner.Username;

    /// <summary>
    /// Does nothing if <see cref="IsOwn"/> is false or all is well. Safe to run in several processes at once. The server is sent a
    /// SCRAM-SHA-256 verifier, never the password.
    /// </summary>
    /// <param name="role">The role that serves tenants, see <see cref="TenancyRoles.CreateTenancyRole"/>.</param>
    /// <param name="ct">Ends the work; running again finishes it.</param>
    /// <exception cref="TenantLoginException">The owner may not do it, or the login has rights that it must not have; the message says what to do.</exception>
    public async Task EnsureAsync(string role, CancellationToken ct = default)
    {
        var group = RoleName.Parse(role);
        for (var attempt = 1; IsOwn; attempt++)
        {
            try
            {
                await EnsureOnceAsync(group, ct);
                return;
            }
            catch (PostgresException e) when (attempt < MostAttempts && IsRace(e))
            {
                // Somebody else is at it, perhaps from another database of the cluster, where no lock of this one's is seen. Look again.
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
            {
                throw new TenantLoginException(
                    $"The user '{_owner.Username}' may not set up the login '{_login.Username}' ({e.MessageText}). Give it the right (ALTER ROLE ... CREATEROLE; since " +
                    $"PostgreSQL 16 also GRANT {group.Quoted} TO ... WITH ADMIN OPTION), or let an administrator run this and start again: " +
                    $"CREATE ROLE {Login} LOGIN PASSWORD '...' IN ROLE {group.Quoted};", e);
            }
        }
    }

    private async Task EnsureOnceAsync(RoleName group, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var find = new NpgsqlCommand(
            """
            SELECT pg_has_role(oid, $2, 'USAGE'),
                   rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication OR pg_has_role(oid, current_user, 'MEMBER')
            FROM pg_catalog.pg_roles WHERE rolname = $1
            """, connection)
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = _login.Username! }, new NpgsqlParameter<string> { TypedValue = group.Value } },
        };
        var (exists, member, tooMuch) = (false, false, false);
        await using (var row = await find.ExecuteReaderAsync(ct))
        {
            if (await row.ReadAsync(ct))
            {
                (exists, member, tooMuch) = (true, row.GetBoolean(0), row.GetBoolean(1));
            }
        }

        if (tooMuch)
        {
            // Not taken away here: somebody may need them, and would be locked out.
            throw new TenantLoginException(
                $"The login '{_login.Username}' may do more than serve tenants: it is a superuser, creates roles or databases, passes over row security, " +
                "replicates, or can become the owner. Name another login in the tenants' connection string; it will be made.");
        }

        if (!exists)
        {
            await ExecuteAsync(connection, $"CREATE ROLE {Login} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD '{Verifier()}' IN ROLE {group.Quoted}", ct);
            LogMade(log, _login.Username!, group.Value);
            return;
        }

        if (!member)
        {
            await ExecuteAsync(connection, $"GRANT {group.Quoted} TO {Login}", ct);
            LogMember(log, _login.Username!, group.Value);
        }

        if (!await LogsInAsync(ct))
        {
            await ExecuteAsync(connection, $"ALTER ROLE {Login} LOGIN PASSWORD '{Verifier()}'", ct);
            LogPassword(log, _login.Username!);
        }
    }

    /// <summary>The only way to ask whether the password is still the one: what the server keeps of it, only a superuser reads.</summary>
    private async Task<bool> LogsInAsync(CancellationToken ct)
    {
        // By the owner's way: the tenants' may lead through a pooler that learns of the login later.
        var way = new NpgsqlConnectionStringBuilder(_owner.ConnectionString) { Username = _login.Username, Password = _login.Password, Pooling = false };
        await using var connection = new NpgsqlConnection(way.ConnectionString);
        try
        {
            await connection.OpenAsync(ct);
            return true;
        }
        catch (PostgresException e) when (e.SqlState.StartsWith("28", StringComparison.Ordinal))
        {
            return false;
        }
    }

    private string Login => new NpgsqlCommandBuilder().QuoteIdentifier(_login.Username!);

    private string Verifier() => _login.Password is { Length: > 0 } password
        ? ScramVerifier.Of(password)
        : throw new TenantLoginException($"The tenants' connection string names the login '{_login.Username}' without a password, so it can't be set up: add Password=...");

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Exists by now (42710, 23505), or "tuple concurrently updated", which has no code of its own (XX000).</summary>
    private static bool IsRace(PostgresException error) =>
        error.SqlState is PostgresErrorCodes.DuplicateObject or PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.InternalError;

    [LoggerMessage(LogLevel.Information, "Made the login {Login}, a member of {Role}.")]
    private static partial void LogMade(ILogger log, string login, string role);

    [LoggerMessage(LogLevel.Information, "Made the login {Login} a member of {Role}.")]
    private static partial void LogMember(ILogger log, string login, string role);

    [LoggerMessage(LogLevel.Information, "Set the password of the login {Login}: the one it had was another.")]
    private static partial void LogPassword(ILogger log, string login);
}

/// <summary>The login that serves tenants can't be set up.</summary>
public sealed class TenantLoginException : Exception
{
    /// <summary>With a message that says what to do.</summary>
    public TenantLoginException(string message) : base(message)
    {
    }

    /// <summary>With a message that says what to do, and the cause.</summary>
    public TenantLoginException(string message, Exception innerException) : base(message, innerException)
    {
    }
}

using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Tenancy.Citus;
using Tenancy.Roles;

namespace Tenancy;

/// <summary>
/// Makes sure that the login of <see cref="TenancyOptions.TenantConnectionString"/> exists, has the password that is
/// configured and is a member of the role that serves tenants: once per start, by a login that may create roles.
/// </summary>
public sealed partial class TenantLogin(
    [FromKeyedServices(TenancyOptions.OwnerKey)] NpgsqlDataSource database, TenancyOptions options,
    ILogger<TenantLogin> log)
{
    private const int MostAttempts = 5;

    private readonly NpgsqlConnectionStringBuilder _owner = new(options.ConnectionString);

    /// <summary>
    /// Whether tenants are served by a login of their own: without one, whatever the owner may do, a request's
    /// statement may do.
    /// </summary>
    public bool IsOwn => IsOwnLogin(new(options.TenantConnectionString));

    /// <summary>
    /// Does nothing if <see cref="IsOwn"/> is false or all is well. Safe to run in several processes at once. The
    /// server is sent a SCRAM-SHA-256 verifier, never the password.
    /// </summary>
    /// <param name="role">The role that serves tenants, see <see cref="TenancyRoles.CreateTenancyRole"/>.</param>
    /// <param name="ct">Ends the work; running again finishes it.</param>
    /// <exception cref="TenantLoginException">The owner may not do it, or the login has rights that it must not have;
    /// the message says what to do.</exception>
    public Task EnsureAsync(string role, CancellationToken ct = default) =>
        EnsureAsync(role, options.TenantConnectionString, ct);

    /// <summary>
    /// The same for another login of the application, e.g. one that only reads the registry. Does nothing if the
    /// connection string is empty or names the owner.
    /// </summary>
    /// <param name="role">The role whose rights the login gets, see
    /// <see cref="TenancyRoles.CreateTenancyRole"/>.</param>
    /// <param name="connectionString">The login's connection string, with its password.</param>
    /// <param name="ct">Ends the work; running again finishes it.</param>
    /// <exception cref="TenantLoginException">The owner may not do it, or the login has rights that it must not have;
    /// the message says what to do.</exception>
    public async Task EnsureAsync(string role, string? connectionString, CancellationToken ct = default)
    {
        var group = RoleName.Parse(role);
        var login = new NpgsqlConnectionStringBuilder(connectionString);
        for (var attempt = 1; IsOwnLogin(login); attempt++)
        {
            try
            {
                await RefuseRolesOnCitusAsync(login, ct);
                await EnsureOnceAsync(group, login, ct);
                await LimitAsync(login, ct);
                await LetIntoNodesAsync(login, ct);
                return;
            }
            catch (PostgresException e) when (attempt < MostAttempts && IsRace(e))
            {
                // Somebody else is at it, perhaps from another database of the cluster, where no lock of this one's is
                // seen. Look again.
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
            {
                throw new TenantLoginException(
                    $"The user '{_owner.Username}' may not set up the login '{login.Username}' ({e.MessageText}). " +
                    "Give it the right (ALTER ROLE ... CREATEROLE; since " +
                    $"PostgreSQL 16 also GRANT {group.Quoted} TO ... WITH ADMIN OPTION), or let an administrator run " +
                    "this and start again: " +
                    $"CREATE ROLE {Quoted(login)} LOGIN PASSWORD '...' IN ROLE {group.Quoted};", e);
            }
        }
    }

    private async Task EnsureOnceAsync(RoleName group, NpgsqlConnectionStringBuilder login, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var find = new NpgsqlCommand(
            """
            SELECT pg_has_role(oid, $2, $3), rolinherit,
                   rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication OR pg_has_role(oid, current_user, 'MEMBER')
            FROM pg_catalog.pg_roles WHERE rolname = $1
            """, connection)
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = login.Username! },
                new NpgsqlParameter<string> { TypedValue = group.Value },
                new NpgsqlParameter<string> { TypedValue = Switches(login) ? "MEMBER" : "USAGE" } },
        };
        var (exists, member, inherits, tooMuch) = (false, false, false, false);
        await using (var row = await find.ExecuteReaderAsync(ct))
        {
            if (await row.ReadAsync(ct))
            {
                (exists, member, inherits, tooMuch) = (
                    true, row.GetBoolean(0), row.GetBoolean(1), row.GetBoolean(2));
            }
        }

        if (tooMuch)
        {
            // Not taken away here: somebody may need them, and would be locked out.
            throw new TenantLoginException(
                $"The login '{login.Username}' may do more than serve tenants: it is a superuser, creates roles or " +
                "databases, passes over row security, " +
                "replicates, or can become the owner. Name another login in the tenants' connection string; it " +
                "will be made.");
        }

        if (!exists)
        {
            await ExecuteAsync(connection,
                $"CREATE ROLE {Quoted(login)} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE " +
                $"{(Switches(login) ? "NOINHERIT " : "")}PASSWORD '{Verifier(login)}' " +
                $"IN ROLE {group.Quoted}", ct);
            LogMade(log, login.Username!, group.Value);
            return;
        }

        if (inherits == Switches(login))
        {
            await InheritAsync(connection, group, login, !inherits, ct);
            member |= connection.PostgreSqlVersion.Major >= 16;
        }

        if (!member)
        {
            await ExecuteAsync(connection, $"GRANT {group.Quoted} TO {Quoted(login)}", ct);
            LogMember(log, login.Username!, group.Value);
        }

        if (!await LogsInAsync(login, ct))
        {
            await ExecuteAsync(connection, $"ALTER ROLE {Quoted(login)} LOGIN PASSWORD '{Verifier(login)}'", ct);
            LogPassword(log, login.Username!);
        }
    }

    /// <summary>Writes the ceiling of statements on the role of the login that serves.</summary>
    private async Task LimitAsync(NpgsqlConnectionStringBuilder login, CancellationToken ct)
    {
        if (options.StatementTimeout is not { } limit || !IsServing(login))
        {
            return;
        }

        var milliseconds = ((long)limit.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var ask = new NpgsqlCommand(
            "SELECT $2 = ANY (rolconfig) FROM pg_catalog.pg_roles WHERE rolname = $1", connection)
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = login.Username! },
                new NpgsqlParameter<string> { TypedValue = $"statement_timeout={milliseconds}" } },
        };
        if (await ask.ExecuteScalarAsync(ct) is not true)
        {
            await ExecuteAsync(
                connection, $"ALTER ROLE {Quoted(login)} SET statement_timeout = {milliseconds}", ct);
            LogLimited(log, login.Username!, limit.TotalSeconds);
        }
    }

    /// <summary>Citus logs in to its nodes as the role of the moment, and a tenant's role has no login.</summary>
    private async Task RefuseRolesOnCitusAsync(NpgsqlConnectionStringBuilder login, CancellationToken ct)
    {
        if (Switches(login) && await CitusEngine.IsPresentAsync(database, ct))
        {
            throw new TenantLoginException(
                "TenancyOptions.TenantRoles can't be used on Citus: it logs in to its nodes as the role that a " +
                "statement runs as, and a tenant's role can't log in. Turn the option off.");
        }
    }

    /// <summary>
    /// Lets the coordinator of a Citus cluster log in to the nodes as the login that serves. A login that somebody else
    /// made is let in, too.
    /// </summary>
    private async Task LetIntoNodesAsync(NpgsqlConnectionStringBuilder login, CancellationToken ct)
    {
        if (!options.CitusNodePasswords || !IsServing(login) || !await CitusEngine.IsPresentAsync(database, ct))
        {
            return;
        }

        // Throws where there is none.
        _ = Verifier(login);
        await using var connection = await database.OpenConnectionAsync(ct);
        try
        {
            if (await NodeLogin.WriteAsync(connection, login, ct))
            {
                LogNodePassword(log, login.Username!);
            }
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new TenantLoginException(
                $"The user '{_owner.Username}' may not write pg_dist_authinfo ({e.MessageText}), where " +
                $"TenancyOptions.CitusNodePasswords keeps the password of '{login.Username}'. Let a superuser run " +
                "GRANT SELECT, INSERT, UPDATE ON pg_dist_authinfo TO ... on the coordinator, or turn the option off " +
                "and let the nodes trust each other (docs/citus.md).", e);
        }
    }

    /// <summary>
    /// Whether it has the rights of what it is a member of without switching to it. Before it becomes a member of more:
    /// since PostgreSQL 16 each membership keeps what held then.
    /// </summary>
    private static async Task InheritAsync(
        NpgsqlConnection connection, RoleName group, NpgsqlConnectionStringBuilder login, bool inherit,
        CancellationToken ct)
    {
        await ExecuteAsync(connection, $"ALTER ROLE {Quoted(login)} {(inherit ? "INHERIT" : "NOINHERIT")}", ct);
        if (connection.PostgreSqlVersion.Major >= 16)
        {
            await ExecuteAsync(
                connection, $"GRANT {group.Quoted} TO {Quoted(login)} WITH INHERIT {(inherit ? "TRUE" : "FALSE")}", ct);
        }
    }

    /// <summary>
    /// The only way to ask whether the password is still the one: what the server keeps of it, only a superuser reads.
    /// </summary>
    private async Task<bool> LogsInAsync(NpgsqlConnectionStringBuilder login, CancellationToken ct)
    {
        // By the owner's way: the tenants' may lead through a pooler that learns of the login later.
        var way = new NpgsqlConnectionStringBuilder(
            _owner.ConnectionString) { Username = login.Username, Password = login.Password, Pooling = false };
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

    /// <summary>Whether the login has its rights by switching to tenants' roles.</summary>
    private bool Switches(NpgsqlConnectionStringBuilder login) => options.TenantRoles is not null && IsServing(login);

    private bool IsServing(NpgsqlConnectionStringBuilder login) =>
        login.Username == new NpgsqlConnectionStringBuilder(options.TenantConnectionString).Username;

    private bool IsOwnLogin(NpgsqlConnectionStringBuilder login) =>
        login.Username is { Length: > 0 } name && name != _owner.Username;

    private static string Quoted(NpgsqlConnectionStringBuilder login) =>
        new NpgsqlCommandBuilder().QuoteIdentifier(login.Username!);

    private static string Verifier(NpgsqlConnectionStringBuilder login) => login.Password is { Length: > 0 } password
        ? ScramVerifier.Of(password)
        : throw new TenantLoginException(
            $"The tenants' connection string names the login '{login.Username}' without a password, so it can't be " +
            "set up: add Password=...");

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>
    /// Exists by now (42710, 23505), or "tuple concurrently updated", which has no code of its own (XX000).
    /// </summary>
    private static bool IsRace(PostgresException error) =>
        error.SqlState is PostgresErrorCodes.DuplicateObject or PostgresErrorCodes.UniqueViolation
            or PostgresErrorCodes.InternalError;

    [LoggerMessage(LogLevel.Information, "Made the login {Login}, a member of {Role}.")]
    private static partial void LogMade(ILogger log, string login, string role);

    [LoggerMessage(LogLevel.Information, "Made the login {Login} a member of {Role}.")]
    private static partial void LogMember(ILogger log, string login, string role);

    [LoggerMessage(LogLevel.Information,
        "A statement of the login {Login} may take {Seconds} s: the server ends a longer one.")]
    private static partial void LogLimited(ILogger log, string login, double seconds);

    [LoggerMessage(LogLevel.Information,
        "Wrote the password of {Login} to pg_dist_authinfo, by which the coordinator logs in to the nodes.")]
    private static partial void LogNodePassword(ILogger log, string login);

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

using Npgsql;
using Tests.Integration.Server;

namespace Tests.Integration.Sql;

/// <summary>
/// A database where PostgreSQL says what a statement touches outside the tenant's schema: what it has locked when it is
/// over, what its new objects depend on, and what is different in other schemas and on the server. Each schema has one
/// of everything, by the same names.
/// </summary>
internal sealed partial class TouchedObjects : IAsyncDisposable
{
    private readonly NpgsqlDataSource _database;
    private readonly NpgsqlConnection _connection;

    private TouchedObjects(NpgsqlDataSource database, NpgsqlConnection connection) =>
        (_database, _connection) = (database, connection);

    /// <summary>Two roles that may be granted to each other.</summary>
    public required string[] Roles { get; init; }

    public static async Task<TouchedObjects> CreateAsync(TestServer server, CancellationToken ct)
    {
        var connectionString = await server.ConnectionStringAsync(ct);
        string[] roles = [NewRole(), NewRole()];
        var database = NpgsqlDataSource.Create(connectionString);
        var everything = string.Concat(
            new[] { "\"__Tenant__\"", "other", "public" }
                .Select(schema => Everything.Replace("SCHEMA.", $"{schema}.", StringComparison.Ordinal)
                    .Replace("EXISTS SCHEMA;", $"EXISTS {schema};", StringComparison.Ordinal)));
        var oracle = Oracle.Replace("ROLE1", roles[0], StringComparison.Ordinal)
            .Replace("ROLE2", roles[1], StringComparison.Ordinal);
        await using (var create = database.CreateCommand(
            $"CREATE ROLE {roles[0]}; CREATE ROLE {roles[1]}; {everything} {oracle}"))
        {
            await create.ExecuteNonQueryAsync(ct);
        }

        return new(database, await database.OpenConnectionAsync(ct)) { Roles = roles };

        // Dropped at the end of the run.
        string NewRole() => new NpgsqlConnectionStringBuilder(server.AsNewLogin(connectionString)).Username!;
    }

    /// <summary>Runs a statement on the server, where no driver rewrites it first, and undoes what it did.</summary>
    public async Task<Touched> RunAsync(string sql, CancellationToken ct)
    {
        await using var run = new NpgsqlCommand(
            "SELECT oracle.run($1)", _connection) { Parameters = { new NpgsqlParameter<string> { TypedValue = sql } } };
        return new((string[])(await run.ExecuteScalarAsync(ct))!);
    }

    /// <summary>The same for COPY, which needs a client: no rows are sent, all are read.</summary>
    public async Task<Touched> RunCopyAsync(RandomCopies.Copy copy, CancellationToken ct)
    {
        await using var transaction = await _connection.BeginTransactionAsync(ct);
        try
        {
            if (copy.Writes)
            {
                await (await _connection.BeginTextImportAsync(copy.Sql, ct)).DisposeAsync();
            }
            else
            {
                using var rows = await _connection.BeginTextExportAsync(copy.Sql, ct);
                await rows.ReadToEndAsync(ct);
            }
        }
        catch (PostgresException error)
        {
            return Touched.Nothing(error);
        }

        await using var touched = new NpgsqlCommand("SELECT oracle.touched()", _connection, transaction);
        return new((string[])(await touched.ExecuteScalarAsync(ct))!);
    }

    /// <summary>
    /// The same for what runs in no transaction, whose locks are gone when it is over: all that isn't the tenant's is
    /// locked meanwhile, so what needs more than to read what is shared, or anything else, fails (55P03). What it does
    /// to the tenant's own objects stays.
    /// </summary>
    public async Task<Touched> RunAloneAsync(string sql, CancellationToken ct)
    {
        await using var holder = await _database.OpenConnectionAsync(ct);
        await using var transaction = await holder.BeginTransactionAsync(ct);
        const string Others =
            "other.a, other.b, other.other, other.parts, public.a, public.b, public.other, public.parts";
        await using (var locks = new NpgsqlCommand(
            $"LOCK {Others} IN ACCESS EXCLUSIVE MODE; LOCK public.shared IN SHARE MODE", holder, transaction))
        {
            await locks.ExecuteNonQueryAsync(ct);
        }

        try
        {
            await using var impatient = new NpgsqlCommand("SET lock_timeout = '20ms'", _connection);
            await impatient.ExecuteNonQueryAsync(ct);
            await using var command = new NpgsqlCommand(sql, _connection);
            await command.ExecuteNonQueryAsync(ct);
            return new([]);
        }
        catch (PostgresException error)
        {
            return error.SqlState == PostgresErrorCodes.LockNotAvailable
                ? new(["change what is locked"])
                : Touched.Nothing(error);
        }
        finally
        {
            await transaction.RollbackAsync(ct);
            await using var tidy = new NpgsqlCommand(RandomMaintenance.Leftovers, _connection);
            await tidy.ExecuteNonQueryAsync(ct);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        await _database.DisposeAsync();
    }
}

// The provider's creator is public by need and internal by name. What is used of it: its constructor, and that it can
// be derived from.
#pragma warning disable EF1001

using System.Data.Common;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql.EntityFrameworkCore.PostgreSQL.Storage.Internal;

namespace Tenancy.Leasing;

/// <summary>
/// Says whether the server answers (CanConnect, and so a health check of the context) also for a context that serves
/// nobody. The provider sends a command of the context's, which needs a tenant; here it is the connection's.
/// </summary>
internal sealed class TenantDatabaseCreator(
    RelationalDatabaseCreatorDependencies dependencies, INpgsqlRelationalConnection connection,
    IRawSqlCommandBuilder commands)
    : NpgsqlDatabaseCreator(dependencies, connection, commands)
{
    private const string Ask = "SELECT 1";

    private readonly INpgsqlRelationalConnection _connection = connection;

    public override bool CanConnect()
    {
        try
        {
            _connection.Open(errorsExpected: true);
            try
            {
                using var ask = _connection.DbConnection.CreateCommand();
                ask.CommandText = Ask;
                ask.ExecuteNonQuery();
                return true;
            }
            finally
            {
                _connection.Close();
            }
        }
        catch (DbException)
        {
            return false;
        }
    }

    public override async Task<bool> CanConnectAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            await _connection.OpenAsync(cancellationToken, errorsExpected: true);
            try
            {
                await using var ask = _connection.DbConnection.CreateCommand();
                ask.CommandText = Ask;
                await ask.ExecuteNonQueryAsync(cancellationToken);
                return true;
            }
            finally
            {
                await _connection.CloseAsync();
            }
        }
        catch (DbException)
        {
            return false;
        }
    }
}

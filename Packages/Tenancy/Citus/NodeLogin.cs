using Npgsql;

namespace Tenancy.Citus;

/// <summary>
/// How the coordinator logs in to the nodes as somebody: what <c>pg_dist_authinfo</c> says, in plain text.
/// </summary>
internal static class NodeLogin
{
    /// <summary>Says the password by which the coordinator reaches all nodes as the login.</summary>
    /// <param name="connection">A superuser's, or of whoever was given the table.</param>
    /// <param name="login">Has user name and password.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>Whether it was another one before, or none.</returns>
    /// <exception cref="PostgresException">The owner may not write the table (42501).</exception>
    public static async Task<bool> WriteAsync(
        NpgsqlConnection connection, NpgsqlConnectionStringBuilder login, CancellationToken ct)
    {
        await using var write = new NpgsqlCommand(
            """
            INSERT INTO pg_catalog.pg_dist_authinfo AS a (nodeid, rolename, authinfo) VALUES (0, $1, $2)
            ON CONFLICT (rolename, nodeid) DO UPDATE SET authinfo = excluded.authinfo
            WHERE a.authinfo IS DISTINCT FROM excluded.authinfo
            """, connection)
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = login.Username! },
                new NpgsqlParameter<string> { TypedValue = $"password={Quoted(login.Password!)}" } },
        };
        return await write.ExecuteNonQueryAsync(ct) == 1;
    }

    /// <summary>By the rules of a connection string of libpq.</summary>
    internal static string Quoted(string value) =>
        $"'{value.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("'", @"\'", StringComparison.Ordinal)}'";
}

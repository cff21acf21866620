using Npgsql;

namespace Tenancy;

public static partial class TenantPlaceholder
{
    /// <summary>To be called at start-up: a schema by that name would turn every refusal into shared rows.</summary>
    /// <exception cref="InvalidOperationException">It exists; or backslashes escape in plain literals here, so the
    /// rewriter and the server would read a text differently.</exception>
    public static async Task RefuseIfItExistsAsync(NpgsqlDataSource database, CancellationToken ct = default)
    {
        await using var command = database.CreateCommand(
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1), " +
            "current_setting('standard_conforming_strings') = 'on'");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Schema });
        await using var found = await command.ExecuteReaderAsync(ct);
        await found.ReadAsync(ct);
        if (found.GetBoolean(0))
        {
            throw new InvalidOperationException(
                $"The database has a schema named \"{Schema}\". Statements without a tenant would reach it instead " +
                "of failing. " +
                $"Move what is in it, then: DROP SCHEMA \"{Schema}\".");
        }

        if (!found.GetBoolean(1))
        {
            throw new InvalidOperationException(
                "standard_conforming_strings is off, so a backslash would end literals elsewhere than the rewriter " +
                "sees. It is on by default since PostgreSQL 9.1: " +
                "ALTER DATABASE ... RESET standard_conforming_strings, and the same for the role and the server.");
        }
    }
}

using Npgsql;

namespace Tenancy;

/// <summary>Whose failure an error is.</summary>
internal static class PostgresErrors
{
    /// <summary>Not a server that shuts down (57P0x), is out of resources (53xxx) or fails inside (58xxx, XXxxx): that concerns everybody.</summary>
    public static bool IsTheSchemasOwn(this PostgresException error) =>
        error.SqlState[..2] is not ("53" or "58" or "XX") && !error.SqlState.StartsWith("57P", StringComparison.Ordinal);
}

// NpgsqlConnector is public and experimental; what is read of it and of its pool is internal. Npgsql has no public way
// to close one physical connection of a pool: NpgsqlDataSource.Clear closes all of them.
#pragma warning disable NPG9001

using System.Reflection;
using System.Runtime.CompilerServices;
using Npgsql;
using Npgsql.Internal;

namespace Tenancy.Backends;

/// <summary>The physical connection behind a connection object, and its pool. The one place that knows Npgsql's inside.
/// </summary>
internal static class NpgsqlConnectors
{
    private const BindingFlags Inside = BindingFlags.Instance | BindingFlags.NonPublic;

    /// <summary>A number that no pool's count of clearings has.</summary>
    private const int Never = -1;

    /// <summary>
    /// Whether this Npgsql has those members. Without them nothing is counted, and connections are closed by age alone.
    /// </summary>
    public static readonly bool AreKnown =
        typeof(NpgsqlConnection).GetProperty("Connector", Inside)?.PropertyType == typeof(NpgsqlConnector)
            && typeof(NpgsqlConnection).GetProperty("NpgsqlDataSource", Inside)?.PropertyType == typeof(NpgsqlDataSource)
            && typeof(NpgsqlConnector).GetProperty("ClearCounter", Inside) is { CanWrite: true, PropertyType.IsPrimitive: true }
            && typeof(NpgsqlDataSource).GetProperty("Statistics", Inside)?.PropertyType == typeof((int, int, int));

    /// <summary>Null while the connection is closed.</summary>
    public static NpgsqlConnector? Of(NpgsqlConnection connection) => Connector(connection);

    public static NpgsqlDataSource SourceOf(NpgsqlConnection connection) => Source(connection);

    /// <summary>How many physical connections the pool has now.</summary>
    public static int Open(NpgsqlDataSource source) => Statistics(source).Total;

    /// <summary>
    /// Lets the pool close the physical connection when it comes back, as after a <c>Clear</c>: what runs on it until
    /// then isn't disturbed.
    /// </summary>
    public static void CloseOnReturn(NpgsqlConnector connector) => SetClearCounter(connector, Never);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_Connector")]
    private static extern NpgsqlConnector? Connector(NpgsqlConnection connection);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_NpgsqlDataSource")]
    private static extern NpgsqlDataSource Source(NpgsqlConnection connection);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_ClearCounter")]
    private static extern void SetClearCounter(NpgsqlConnector connector, int value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_Statistics")]
    private static extern (int Total, int Idle, int Busy) Statistics(NpgsqlDataSource source);
}

#pragma warning disable NPG9001 // See NpgsqlConnectors.

using System.Runtime.CompilerServices;
using Npgsql;
using Npgsql.Internal;

namespace Tenancy.Backends;

/// <summary>
/// What one physical connection's server process has met. A process keeps what it learns of each schema and never
/// gives it back, so the connection is closed when it has met too much.
/// </summary>
/// <remarks>A physical connection has one user at a time, so nothing here is synchronized.</remarks>
internal sealed class Backend
{
    /// <summary>What a process has before it meets a schema, in bytes.</summary>
    public const long Fresh = 6L << 20;

    /// <summary>8 KB for each connection, whatever the number of schemas is.</summary>
    private const int Bits = 1 << 16;

    private static readonly ConditionalWeakTable<NpgsqlConnector, Backend> s_backends = [];

    private readonly BackendBudget? _budget;
    private readonly ulong[] _met = [];
    private int _set;

    private Backend(BackendBudget? budget)
    {
        _budget = budget;
        _met = budget is null ? [] : new ulong[Bits / 64];
    }

    /// <summary>
    /// The part of its share that it uses. It differs, so that connections of one age don't all end in the same moment.
    /// </summary>
    public double Patience { get; } = 0.75 + Random.Shared.NextDouble() / 4;

    /// <summary>The estimate of the process's memory.</summary>
    public long Bytes { get; private set; } = Fresh;

    /// <summary>Whether the pool closes it when it comes back.</summary>
    public bool IsRetired { get; private set; }

    /// <summary>Null for a connection that is closed, or of a pool that isn't the library's.</summary>
    public static Backend? Of(NpgsqlConnection connection)
    {
        if (!NpgsqlConnectors.AreKnown || NpgsqlConnectors.Of(connection) is not { } connector)
        {
            return null;
        }

        if (!s_backends.TryGetValue(connector, out var backend))
        {
            backend = new(BackendBudget.Of(NpgsqlConnectors.SourceOf(connection)));
            s_backends.AddOrUpdate(connector, backend);
        }

        return backend._budget is null ? null : backend;
    }

    /// <summary>
    /// Notes that commands of that footprint ran in the schema; lets the pool close the connection on its return where
    /// that is too much.
    /// </summary>
    public static void Meet(NpgsqlConnection connection, SchemaName schema, SchemaFootprint footprint)
    {
        if (Of(connection) is { IsRetired: false } backend)
        {
            backend.Add(HashCode.Combine(schema.Value, footprint), footprint.Bytes);
            if (backend._budget!.IsOver(backend))
            {
                backend.IsRetired = true;
                NpgsqlConnectors.CloseOnReturn(NpgsqlConnectors.Of(connection)!);
                backend._budget.Count();
            }
        }
    }

    /// <summary>
    /// A set of bits, not of names. Two schemas may have one bit, the likelier the more are set, so each that is set
    /// counts for as many as fall on an unset one: right within a percent for 10,000 (linear counting).
    /// </summary>
    private void Add(int hash, long bytes)
    {
        var at = hash & (Bits - 1);
        var bit = 1UL << (at & 63);
        ref var word = ref _met[at >> 6];
        if ((word & bit) == 0)
        {
            word |= bit;
            Bytes += bytes * Bits / (Bits - _set++);
        }
    }
}

using System.Data;
using Npgsql;
using Tenancy.Backends;

namespace Tenancy.Fleet;

/// <summary>
/// A worker's state between groups: its connection, and the time that a schema takes. What a backend learns of the
/// catalog is its own, so a pool that hands out another one for each group makes all of them learn it.
/// </summary>
internal sealed class WorkerSession(NpgsqlDataSource database) : IAsyncDisposable
{
    private NpgsqlConnection? _connection;
    private TimeSpan? _pace;

    /// <summary>
    /// The connection, open; another one if the last was lost, or has met too many schemas
    /// (<see cref="TenancyOptions.BackendMemory"/>).
    /// </summary>
    public async Task<NpgsqlConnection> OpenAsync(CancellationToken ct)
    {
        if (_connection is { State: ConnectionState.Open } open && Backend.Of(open) is not { IsRetired: true })
        {
            return open;
        }

        await DisposeAsync();
        return _connection = await database.OpenConnectionAsync(ct);
    }

    /// <summary>
    /// How many schemas can be migrated in that time, going by the last ones; one as long as there are none.
    /// </summary>
    public int Fits(TimeSpan time) => _pace is { } pace ? (int)Math.Clamp(time / pace, 1, int.MaxValue) : 1;

    /// <summary>That these, the last ones, took so long.</summary>
    public void Took(IReadOnlyCollection<SchemaName> schemas, TimeSpan elapsed, SchemaFootprint footprint)
    {
        _pace = elapsed / schemas.Count;
        foreach (var schema in schemas)
        {
            Backend.Meet(_connection!, schema, footprint);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection is { } connection)
        {
            _connection = null;
            await connection.DisposeAsync();
        }
    }
}

using System.Runtime.CompilerServices;
using Npgsql;

namespace Tenancy.Citus;

/// <summary>
/// Whether a database is on a Citus cluster: asked when somebody first needs to know, once per data source in a
/// process. A database that gets the extension later is noticed after a restart.
/// </summary>
internal sealed class CitusEngine
{
    private static readonly ConditionalWeakTable<NpgsqlDataSource, CitusEngine> Known = [];

    /// <summary>SQL: the question.</summary>
    public const string Exists =
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'citus')";

    private bool? _present;

    /// <summary>The same for a connection's database; asks each time.</summary>
    public static async Task<bool> IsPresentAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var ask = new NpgsqlCommand(Exists, connection);
        return await ask.ExecuteScalarAsync(ct) is true;
    }

    /// <summary>Whether the extension exists in the database.</summary>
    public static async ValueTask<bool> IsPresentAsync(NpgsqlDataSource database, CancellationToken ct)
    {
        var engine = Known.GetOrCreateValue(database);
        if (engine._present is { } present)
        {
            return present;
        }

        // Two that ask at once get the same answer.
        using var unrecorded = TenancyTelemetry.Unrecorded();
        await using var ask = database.CreateCommand(Exists);
        present = (bool)(await ask.ExecuteScalarAsync(ct))!;
        engine._present = present;
        return present;
    }
}

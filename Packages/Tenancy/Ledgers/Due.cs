using Npgsql;
using NpgsqlTypes;

namespace Tenancy.Ledgers;

/// <summary>A schema whose ledger row this transaction holds.</summary>
internal sealed record ClaimedSchema(SchemaName Schema, string? Unfinished);

/// <summary>The condition for schemas that a claim may take.</summary>
/// <param name="Versions">Those that wait for the run's migrations.</param>
/// <param name="Ring">Of which ring; null where all are counted.</param>
/// <param name="Since">Who failed after this was tried already, by this run or by another at the same time.</param>
/// <param name="Only">If not null, of these alone.</param>
/// <param name="OnlyFailed">Only those whose last migration failed.</param>
internal sealed record Due(string[] Versions, int? Ring, DateTime Since, string[]? Only, bool OnlyFailed)
{
    public const string InAnyRing =
        $"""
        {LedgerModel.Migrated} AND version = ANY ($1) AND (failed_at IS NULL OR failed_at < $2)
        AND ($3::text[] IS NULL OR schema = ANY ($3)) AND (NOT $4 OR last_error IS NOT NULL)
        """;

    public const string Condition = $"{InAnyRing} AND ring = $5";

    public IEnumerable<NpgsqlParameter> Parameters =>
    [
        LedgerTable.Texts(Versions),
        new NpgsqlParameter<DateTime> { TypedValue = Since, NpgsqlDbType = NpgsqlDbType.TimestampTz },
        Only is null ? new NpgsqlParameter { Value = DBNull.Value,
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text } : LedgerTable.Texts(Only),
        new NpgsqlParameter<bool> { TypedValue = OnlyFailed },
        Ring is { } ring
            ? new NpgsqlParameter<int> { TypedValue = ring }
            : new NpgsqlParameter { Value = DBNull.Value, NpgsqlDbType = NpgsqlDbType.Integer },
    ];
}

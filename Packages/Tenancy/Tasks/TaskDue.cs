using Npgsql;
using NpgsqlTypes;
using Tenancy.Ledgers;

namespace Tenancy.Tasks;

/// <summary>The condition for tenants that a claim of a task may take.</summary>
/// <param name="Task">The task's name.</param>
/// <param name="Ring">Of which ring; null where all are counted.</param>
/// <param name="Since">Who failed after this was tried already, by this run or by another at the same time.</param>
/// <param name="Only">If not null, of these alone.</param>
/// <param name="OnlyFailed">Only those whose last attempt failed.</param>
internal sealed record TaskDue(string Task, int? Ring, DateTime Since, string[]? Only, bool OnlyFailed)
{
    /// <summary>Since when nobody has failed: for questions outside of a run.</summary>
    public static readonly DateTime Ever = DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc);

    /// <summary>SQL: whoever has a tenant. A spare is nobody's yet.</summary>
    public const string Visited = $"s.{LedgerModel.Migrated} AND s.state <> 'spare'";

    public const string InAnyRing =
        $"""
        {Visited}
        AND NOT EXISTS (
            SELECT FROM tenancy.tasks AS t
            WHERE t.task = $1 AND t.schema = s.schema AND (t.done_at IS NOT NULL OR t.failed_at >= $2))
        AND ($3::text[] IS NULL OR s.schema = ANY ($3))
        AND (NOT $4 OR EXISTS (
            SELECT FROM tenancy.tasks AS t WHERE t.task = $1 AND t.schema = s.schema AND t.last_error IS NOT NULL))
        """;

    public const string Condition = $"{InAnyRing} AND s.ring = $5";

    public NpgsqlParameter[] Parameters =>
    [
        LedgerTable.Text(Task),
        new NpgsqlParameter<DateTime> { TypedValue = Since, NpgsqlDbType = NpgsqlDbType.TimestampTz },
        Only is null ? new NpgsqlParameter { Value = DBNull.Value,
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text } : LedgerTable.Texts(Only),
        new NpgsqlParameter<bool> { TypedValue = OnlyFailed },
        new NpgsqlParameter { Value = Ring is { } ring ? ring : DBNull.Value, NpgsqlDbType = NpgsqlDbType.Integer },
    ];
}

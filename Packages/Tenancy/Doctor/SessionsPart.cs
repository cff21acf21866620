using Npgsql;
using static Tenancy.Doctor.FindingKind;

namespace Tenancy.Doctor;

/// <summary>Sessions and slots that would block a run, be blocked by it, or keep vacuum from its work.</summary>
internal static class SessionsPart
{
    /// <summary>Reading tables of so many tenants in one transaction counts as a dump, whatever it is called.</summary>
    private const int TenantsOfADump = 20;

    /// <summary>SQL: the other sessions of this database.</summary>
    private const string Sessions =
        """
        WITH reading AS (
            SELECT l.pid, count(*) AS tables, count(DISTINCT c.relnamespace)::int AS schemas
            FROM pg_catalog.pg_locks AS l
            JOIN pg_catalog.pg_class AS c ON c.oid = l.relation AND c.relkind IN ('r', 'p')
            JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
            JOIN tenancy.schemas AS s ON s.schema = n.nspname::text
            WHERE l.locktype = 'relation' AND l.granted AND l.mode = 'AccessShareLock' AND l.pid <> pg_catalog.pg_backend_pid()
                AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
            GROUP BY 1
        )
        SELECT a.pid, coalesce(a.usename::text, ''), coalesce(a.application_name, ''), a.query = '<insufficient privilege>',
            (extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start))::float8, coalesce(r.tables, 0), coalesce(r.schemas, 0)
        FROM pg_catalog.pg_stat_activity AS a LEFT JOIN reading AS r ON r.pid = a.pid
        WHERE a.datname = pg_catalog.current_database() AND a.pid <> pg_catalog.pg_backend_pid()
            AND (a.backend_type IS NULL OR a.backend_type = 'client backend')
        ORDER BY a.xact_start NULLS LAST, a.pid
        """;

    /// <summary>SQL: what keeps rows for replication. A standby without a slot is a session.</summary>
    private const string Keeping =
        """
        SELECT 'slot ' || slot_name || CASE WHEN active THEN '' ELSE ' (nobody uses it)' END,
            greatest(pg_catalog.age(xmin), pg_catalog.age(catalog_xmin))
        FROM pg_catalog.pg_replication_slots
        WHERE (xmin IS NOT NULL OR catalog_xmin IS NOT NULL) AND (database IS NULL OR database = pg_catalog.current_database())
        UNION ALL
        SELECT 'standby ' || coalesce(application_name, pid::text), pg_catalog.age(backend_xmin)
        FROM pg_catalog.pg_stat_replication WHERE backend_xmin IS NOT NULL
        ORDER BY 2 DESC
        """;

    public static readonly IReadOnlyList<FindingKind> Kinds =
        [Dumps, OldTransaction, PreparedTransaction, FindingKind.Replication];

    public static async Task<IReadOnlyList<DoctorFinding>> ReadAsync(Examined of, CancellationToken ct)
    {
        var sessions = await of.ReadAsync(Sessions, Session.Of, ct);
        return
        [
            FindDumps(of, sessions), FindOldest(of, sessions), await FindPreparedAsync(of, ct),
            await FindReplicationAsync(of, ct),
        ];
    }

    private static DoctorFinding FindDumps(Examined of, List<Session> sessions)
    {
        var dumps = sessions.Where(one => one.Name.StartsWith("pg_dump", StringComparison.Ordinal)
            || one.Schemas >= TenantsOfADump).ToList();
        // A session whose name this login may not see and that reads some tenants' tables may be a dump of them.
        var hidden = sessions.Count(one => one is { IsHidden: true, Schemas: > 0 and < TenantsOfADump });
        return dumps.Count == 0 && hidden > 0
            ? Dumps.Unknown(0,
                $"{Count(hidden, "session")} of other users read tenants' tables, and this login may not see what " +
                "they are.", of.Server.Grant)
            : Dumps.Of(dumps.Count, 0,
                dumps.Count == 0
                    ? "Nobody reads the tables of many tenants at once."
                    : $"{Count(dumps.Count, "session")}: the first holds locks on " +
                        $"{Count(dumps[0].Tables, "table")} of {Count(dumps[0].Schemas, "tenant")}.",
                "Wait for its end before you migrate, or end it: SELECT pg_terminate_backend(pid).",
                [.. dumps.Take(10).Select(one => one.Words)]);
    }

    private static DoctorFinding FindOldest(Examined of, List<Session> sessions)
    {
        var limit = of.Limits.TransactionAge.TotalSeconds;
        var open = sessions.Where(one => one.Age is not null).ToList();
        var oldest = open.Count == 0 ? 0 : Math.Max(0, open[0].Age!.Value);
        var hidden = sessions.Count(one => one.IsHidden);
        return oldest <= limit && hidden > 0
            ? OldTransaction.Unknown(limit,
                $"{Count(hidden, "session")} of other users can't be seen by this login.", of.Server.Grant)
            : OldTransaction.Of(Math.Ceiling(oldest), limit,
                open.Count == 0
                    ? "No other session has a transaction open."
                    : $"The oldest transaction is {Age(oldest)} old: {open[0].Words}.",
                "Find out what it waits for, and end it: SELECT pg_terminate_backend(pid). Set " +
                "idle_in_transaction_session_timeout for the login.",
                [.. open.Where(one => one.Age > limit).Take(10).Select(one => one.Words)]);
    }

    private static async Task<DoctorFinding> FindPreparedAsync(Examined of, CancellationToken ct)
    {
        var prepared = await of.ReadAsync(
            """
            SELECT gid, owner::text, (extract(epoch FROM pg_catalog.clock_timestamp() - prepared))::float8
            FROM pg_catalog.pg_prepared_xacts WHERE database = pg_catalog.current_database() ORDER BY prepared
            """, row => (Gid: row.GetString(0), Owner: row.GetString(1), Age: Math.Max(0, row.GetDouble(2))), ct);
        var limit = of.Limits.TransactionAge.TotalSeconds;
        return PreparedTransaction.Of(prepared.Count == 0 ? 0 : Math.Ceiling(prepared[0].Age), limit,
            prepared.Count == 0
                ? "No transaction is prepared."
                : $"{Count(prepared.Count, "transaction")} prepared, the oldest {Age(prepared[0].Age)} ago.",
            "Ask who prepared it, then end it: COMMIT PREPARED or ROLLBACK PREPARED with its name.",
            [.. prepared.Where(one => one.Age > limit).Take(10).Select(one => $"'{one.Gid}' of {one.Owner}")]);
    }

    private static async Task<DoctorFinding> FindReplicationAsync(Examined of, CancellationToken ct)
    {
        var keeping = await of.ReadAsync(Keeping, row => (Name: row.GetString(0), Lag: row.GetInt32(1)), ct);
        var limit = of.Limits.ReplicationLag;
        return FindingKind.Replication.Of(keeping.Count == 0 ? 0 : keeping[0].Lag, limit,
            keeping.Count == 0
                ? "No slot and no standby keeps rows."
                : $"{keeping[0].Name} keeps the rows of the last {Count(keeping[0].Lag, "transaction")}.",
            "Let its reader catch up, or drop the slot if nobody reads it: SELECT pg_drop_replication_slot(name).",
            [.. keeping.Where(one => one.Lag > limit).Take(10).Select(one => one.Name)]);
    }

    private sealed record Session(
        int Pid, string User, string Name, bool IsHidden, double? Age, long Tables, int Schemas)
    {
        public string Words => $"pid {Pid}{(Name.Length > 0 ? $" ({Name})" : "")} of {User}" +
            (Age is { } age ? $", since {FindingKind.Age(age)}" : "");

        public static Session Of(NpgsqlDataReader row) => new(
            row.GetInt32(0), row.GetString(1), row.GetString(2), !row.IsDBNull(3) && row.GetBoolean(3),
            row.IsDBNull(4) ? null : row.GetDouble(4), row.GetInt64(5), row.GetInt32(6));
    }
}

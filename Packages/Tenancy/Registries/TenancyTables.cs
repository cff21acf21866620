using Npgsql;

namespace Tenancy.Registries;

/// <summary>
/// Makes the library's own tables where no shared model of the application's has them
/// (<see cref="LedgerModel.AddTenancyLedger"/>): the ledger, and the registry's if it is the built-in one.
/// </summary>
internal static class TenancyTables
{
    // Any number, the same in all processes: two that make the tables at once wait for each other.
    private const long Lock = 0x54656E616E6379;

    private const string Ledger =
        $"""
        CREATE SCHEMA IF NOT EXISTS tenancy;
        CREATE TABLE IF NOT EXISTS tenancy.schemas (
            schema character varying(63) COLLATE "C" NOT NULL,
            state character varying(16) NOT NULL,
            version character varying(32) NOT NULL DEFAULT '',
            ring integer NOT NULL DEFAULT 1,
            attempts integer NOT NULL DEFAULT 0,
            last_error text,
            unfinished character varying(150),
            created_at timestamp with time zone NOT NULL DEFAULT now(),
            migrated_at timestamp with time zone,
            migrated_in_ms double precision,
            failed_at timestamp with time zone,
            CONSTRAINT pk_schemas PRIMARY KEY (schema)
        );
        CREATE INDEX IF NOT EXISTS ix_schemas_version ON tenancy.schemas (version) WHERE {LedgerModel.Migrated};
        CREATE INDEX IF NOT EXISTS ix_schemas_ring_schema ON tenancy.schemas (ring, schema) WHERE {LedgerModel.Migrated};
        ALTER TABLE tenancy.schemas ADD COLUMN IF NOT EXISTS drop_after timestamp with time zone;
        ALTER TABLE tenancy.schemas DROP CONSTRAINT IF EXISTS ck_schemas_state,
            ADD CONSTRAINT ck_schemas_state CHECK ({LedgerModel.States});
        CREATE INDEX IF NOT EXISTS ix_schemas_drop_after ON tenancy.schemas (drop_after) WHERE {LedgerModel.Removable};
        CREATE TABLE IF NOT EXISTS tenancy.versions (
            version character varying(32) NOT NULL,
            migrations text[] NOT NULL,
            breaking text[] NOT NULL,
            CONSTRAINT pk_versions PRIMARY KEY (version)
        );
        CREATE TABLE IF NOT EXISTS tenancy.runs (
            id uuid NOT NULL,
            kind character varying(16) NOT NULL,
            asked_by character varying(200) NOT NULL,
            target character varying(150) NOT NULL,
            total integer NOT NULL,
            migrated integer NOT NULL DEFAULT 0,
            failed integer NOT NULL DEFAULT 0,
            ring integer,
            started_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
            heartbeat_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
            halt text,
            ended_at timestamp with time zone,
            outcome character varying(16),
            CONSTRAINT pk_runs PRIMARY KEY (id),
            CONSTRAINT ck_runs_outcome CHECK (outcome IN ('done', 'halted', 'cancelled', 'broken', 'lost') AND (outcome IS NULL) = (ended_at IS NULL))
        );
        CREATE INDEX IF NOT EXISTS ix_runs_live ON tenancy.runs (heartbeat_at) WHERE ended_at IS NULL;
        CREATE TABLE IF NOT EXISTS tenancy.tasks (
            task character varying(100) NOT NULL,
            schema character varying(63) COLLATE "C" NOT NULL,
            done_at timestamp with time zone,
            attempts integer NOT NULL DEFAULT 0,
            last_error text,
            failed_at timestamp with time zone,
            CONSTRAINT pk_tasks PRIMARY KEY (task, schema)
        );
        CREATE TABLE IF NOT EXISTS tenancy.operations (
            id uuid NOT NULL,
            kind character varying(32) NOT NULL,
            slug character varying(63),
            asked_by character varying(200) NOT NULL,
            arguments jsonb NOT NULL,
            state character varying(16) NOT NULL DEFAULT 'queued',
            done bigint NOT NULL DEFAULT 0,
            total bigint,
            result jsonb,
            error text,
            attempts integer NOT NULL DEFAULT 0,
            cancel text,
            created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
            started_at timestamp with time zone,
            heartbeat_at timestamp with time zone,
            ended_at timestamp with time zone,
            CONSTRAINT pk_operations PRIMARY KEY (id),
            CONSTRAINT ck_operations_state CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled') AND (state IN ('queued', 'running')) = (ended_at IS NULL))
        );
        CREATE INDEX IF NOT EXISTS ix_operations_live ON tenancy.operations (id) WHERE ended_at IS NULL;
        CREATE INDEX IF NOT EXISTS ix_operations_slug ON tenancy.operations (slug, id);
        CREATE INDEX IF NOT EXISTS ix_operations_ended_at ON tenancy.operations (ended_at);
        CREATE TABLE IF NOT EXISTS tenancy.operation_files (
            operation uuid NOT NULL,
            part integer NOT NULL,
            bytes bytea NOT NULL,
            CONSTRAINT pk_operation_files PRIMARY KEY (operation, part),
            CONSTRAINT fk_operation_files_operation FOREIGN KEY (operation) REFERENCES tenancy.operations (id) ON DELETE CASCADE
        );

        """;

    private const string Tenants =
        """
        CREATE TABLE IF NOT EXISTS tenancy.tenants (
            id uuid NOT NULL,
            slug character varying(40) COLLATE "C" NOT NULL,
            schema character varying(63) COLLATE "C" NOT NULL,
            name character varying(200) NOT NULL,
            status character varying(16) NOT NULL,
            created_at timestamp with time zone NOT NULL,
            CONSTRAINT pk_tenants PRIMARY KEY (id),
            CONSTRAINT ck_tenants_status CHECK (status IN ('active', 'suspended', 'archived'))
        );
        ALTER TABLE tenancy.tenants ADD COLUMN IF NOT EXISTS database character varying(63) COLLATE "C";
        CREATE UNIQUE INDEX IF NOT EXISTS ix_tenants_slug ON tenancy.tenants (slug);
        CREATE UNIQUE INDEX IF NOT EXISTS ix_tenants_schema ON tenancy.tenants (schema);

        """;

    /// <summary>Those that the application's kind of registry asks for, in whichever database.</summary>
    public static Task<bool> EnsureAsync(
        NpgsqlDataSource database, RegistryKind? kind, TenancyOptions options, CancellationToken ct) =>
            options.Database is null
                ? EnsureAsync(database, kind?.IsBuiltIn is true, ct)
                : EnsureAsync(database, registry: false, ct, notices: kind?.IsBuiltIn is true);

    /// <summary>Does nothing where they are there, so that a login that makes no tables may call it.</summary>
    /// <param name="database">The owner's.</param>
    /// <param name="registry">Whether the registry's is wanted, too.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <param name="notices">Whether the ledger tells of changes though the registry is elsewhere.</param>
    /// <returns>Whether it made any.</returns>
    /// <exception cref="PostgresException">The login may not.</exception>
    public static async Task<bool> EnsureAsync(
        NpgsqlDataSource database, bool registry, CancellationToken ct, bool notices = false)
    {
        await using (var ask = database.CreateCommand(
            """
            SELECT to_regclass('tenancy.ix_schemas_drop_after') IS NOT NULL AND to_regclass('tenancy.operation_files') IS NOT NULL
                AND (NOT $1 OR to_regproc('tenancy.tell_registry') IS NOT NULL AND EXISTS (
                    SELECT FROM pg_catalog.pg_attribute
                    WHERE attrelid = to_regclass('tenancy.tenants') AND attname = 'database'))
                AND (NOT $2 OR to_regproc('tenancy.tell_ledger') IS NOT NULL)
                AND EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = to_regclass('tenancy.schemas')
                    AND conname = 'ck_schemas_state' AND pg_catalog.pg_get_constraintdef(oid) LIKE '%moving%')
            """))
        {
            ask.Parameters.Add(new NpgsqlParameter<bool> { TypedValue = registry });
            ask.Parameters.Add(new NpgsqlParameter<bool> { TypedValue = notices });
            if (await ask.ExecuteScalarAsync(ct) is true)
            {
                return false;
            }
        }

        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using var make = new NpgsqlCommand(
            $"SELECT pg_advisory_xact_lock({Lock});\n{Ledger}" +
            (registry || notices ? TenantNotices.OnLedger : "") +
            (registry ? Tenants + TenantNotices.OnRegistry("tenancy.tenants") : ""),
            connection, transaction);
        await make.ExecuteNonQueryAsync(ct);
        await transaction.CommitAsync(ct);
        return true;
    }
}

using Microsoft.EntityFrameworkCore.Migrations;
using Tenancy.Migrations;
using Tenancy.Roles;

namespace Tenancy;

/// <summary>
/// Steps for migrations that part the owner, who makes schemas and tables, from the role that serves tenants: rows, and
/// nothing but rows. What no look at a statement's text can see (SQL that a function puts together) the server refuses
/// by these rights.
/// </summary>
public static class TenancyRoles
{
    /// <summary>The serving login's rights on a tenant's tables: their rows.</summary>
    internal const string OnTables = "SELECT, INSERT, UPDATE, DELETE";

    /// <summary>The serving login's rights on a tenant's sequences: take numbers.</summary>
    internal const string OnSequences = "USAGE";

    /// <summary>
    /// For the shared context's migration: makes the role, without login, if the cluster has none of that name. Logins
    /// become its members, see <see cref="TenantLogin"/>.
    /// </summary>
    /// <remarks>
    /// A role belongs to the cluster, not to the database: another database's migration may have made it, or make it at
    /// this moment, and that is as good. A login that may not create roles fails with 42501 and the statement to be run
    /// by somebody who may.
    /// </remarks>
    /// <param name="migration">The migration.</param>
    /// <param name="role">E.g. <c>tenancy_api</c>.</param>
    /// <exception cref="FormatException"><paramref name="role"/> can't name a role.</exception>
    public static void CreateTenancyRole(this MigrationBuilder migration, string role)
    {
        ArgumentNullException.ThrowIfNull(migration);
        var name = RoleName.Parse(role);
        // A block of its own is a subtransaction, so a lost race (42710 when the other has committed, 23505 when it
        // does so meanwhile) ends this statement and not the migration.
        migration.Sql(
            $"""
            DO $role$
            BEGIN
                IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = '{name.Value}') THEN
                    CREATE ROLE {name.Quoted} NOLOGIN;
                END IF;
            EXCEPTION
                WHEN duplicate_object OR unique_violation THEN
                    NULL;
                WHEN insufficient_privilege THEN
                    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = pg_catalog.format(
                        'The user %I may not create roles. Either let an administrator run this once and start again: CREATE ROLE {name.Quoted} NOLOGIN; '
                        'or let one give the right: ALTER ROLE %1$I CREATEROLE;', current_user);
            END
            $role$;
            """);
    }

    /// <summary>
    /// Undoes <see cref="CreateTenancyRole"/>. The role stays where something still refers to it (another database of
    /// the cluster, tenants' schemas) and where it is an administrator's, who made it and may drop it; the server says
    /// so in a notice.
    /// </summary>
    /// <param name="migration">The migration. It first revokes what it granted.</param>
    /// <param name="role">The same name.</param>
    /// <exception cref="FormatException"><paramref name="role"/> can't name a role.</exception>
    public static void DropTenancyRole(this MigrationBuilder migration, string role)
    {
        ArgumentNullException.ThrowIfNull(migration);
        var name = RoleName.Parse(role);
        migration.Sql(
            $"""
            DO $role$
            BEGIN
                DROP ROLE IF EXISTS {name.Quoted};
            EXCEPTION
                WHEN dependent_objects_still_exist OR insufficient_privilege THEN
                    RAISE NOTICE 'The role {name.Value} stays: %', SQLERRM;
            END
            $role$;
            """);
    }

    /// <summary>
    /// For the tenant context's migration: lets the role read and write the rows of the tenant's schema, in the tables
    /// there are and in those that later migrations make. It may not create, alter, drop or truncate anything, nor
    /// touch EF's history.
    /// </summary>
    /// <remarks>
    /// Default privileges belong to who sets them: they cover what the same login makes later. So one login, the owner,
    /// runs all migrations.
    /// </remarks>
    /// <param name="migration">The migration.</param>
    /// <param name="role">A role that exists, see <see cref="CreateTenancyRole"/>.</param>
    /// <param name="historyTable">EF's history table in the tenant's schema.</param>
    /// <exception cref="FormatException"><paramref name="role"/> can't name a role.</exception>
    public static void GrantTenantSchema(
        this MigrationBuilder migration, string role, string historyTable = HistoryRepository.DefaultTableName)
    {
        ArgumentNullException.ThrowIfNull(migration);
        var (schema, to, history) = Names(role, historyTable);
        migration.Sql($"GRANT USAGE ON SCHEMA {schema} TO {to};");
        // A new schema's text leaves it out, and sets the default privileges before it makes anything.
        migration.Sql(OnAll(history, "GRANT", "TO", to, OnTables, OnSequences, "EXECUTE"))
            .Annotation(OwnCommand.Annotation, true)
            .Annotation(NewSchema.Annotation, NewSchema.LeftOut);
        Default($"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT {OnTables} ON TABLES TO {to};");
        Default($"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT {OnSequences} ON SEQUENCES TO {to};");
        Default($"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT EXECUTE ON ROUTINES TO {to};");
        // A login that serves could otherwise make a schema look migrated that isn't.
        migration.Sql($"REVOKE ALL ON {history} FROM {to};");

        void Default(string sql) => migration.Sql(sql).Annotation(NewSchema.Annotation, NewSchema.First);
    }

    /// <summary>Undoes <see cref="GrantTenantSchema"/>: the role can't reach the tenant's schema any more.</summary>
    /// <param name="migration">The migration.</param>
    /// <param name="role">The same name.</param>
    /// <param name="historyTable">EF's history table in the tenant's schema.</param>
    /// <exception cref="FormatException"><paramref name="role"/> can't name a role.</exception>
    public static void RevokeTenantSchema(
        this MigrationBuilder migration, string role, string historyTable = HistoryRepository.DefaultTableName)
    {
        ArgumentNullException.ThrowIfNull(migration);
        var (schema, from, history) = Names(role, historyTable);
        migration.Sql($"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} REVOKE ALL ON TABLES FROM {from};")
            .Annotation(NewSchema.Annotation, NewSchema.InOrder);
        migration.Sql($"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} REVOKE ALL ON SEQUENCES FROM {from};");
        migration.Sql($"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} REVOKE ALL ON ROUTINES FROM {from};");
        migration.Sql(OnAll(history, "REVOKE", "FROM", from, "ALL", "ALL", "ALL"))
            .Annotation(OwnCommand.Annotation, true);
        migration.Sql($"REVOKE ALL ON SCHEMA {schema} FROM {from};");
    }

    /// <summary>
    /// Grants or revokes on each table, sequence and routine of the schema by its name. For <c>ON ALL TABLES IN
    /// SCHEMA</c> PostgreSQL reads all of pg_class, with every other tenant's tables: with 10,000 tenants that is 15 ms
    /// a statement. The schema's own things are found by an index of pg_depend.
    /// </summary>
    /// <param name="history">A table of the schema, as an identifier: its row type is in the same schema.</param>
    /// <param name="verb">GRANT or REVOKE.</param>
    /// <param name="preposition">TO or FROM.</param>
    /// <param name="role">As an identifier.</param>
    /// <param name="tables">Privileges.</param>
    /// <param name="sequences">Privileges.</param>
    /// <param name="routines">Privileges.</param>
    private static string OnAll(
        string history, string verb, string preposition, string role, string tables, string sequences, string routines) =>
        $"""
        DO $grants$
        DECLARE
            change text;
        BEGIN
            FOR change IN
                SELECT '{verb} ' || CASE
                    WHEN r.oid IS NULL THEN '{routines} ON ROUTINE ' || d.objid::pg_catalog.regprocedure
                    WHEN r.relkind = 'S' THEN '{sequences} ON SEQUENCE ' || d.objid::pg_catalog.regclass
                    ELSE '{tables} ON TABLE ' || d.objid::pg_catalog.regclass END || ' {preposition} {role}'
                FROM pg_catalog.pg_depend AS d
                LEFT JOIN pg_catalog.pg_class AS r
                    ON r.oid = d.objid AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
                    AND d.refobjid = (
                        SELECT typnamespace FROM pg_catalog.pg_type
                        WHERE oid = pg_catalog.pg_typeof(NULL::{history}))
                    AND (r.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
                        OR d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass)
            LOOP
                EXECUTE change;
            END LOOP;
        END
        $grants$;
        """;

    /// <summary>As identifiers, the placeholder among them: the rewriter knows it as nothing else.</summary>
    private static (string Schema, string Role, string History) Names(string role, string historyTable)
    {
        ArgumentException.ThrowIfNullOrEmpty(historyTable);
        const string Schema = $"\"{TenantPlaceholder.Schema}\"";
        return (Schema, RoleName.Parse(role).Quoted,
            $"{Schema}.\"{historyTable.Replace("\"", "\"\"", StringComparison.Ordinal)}\"");
    }
}

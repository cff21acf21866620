using Tenancy.Roles;

namespace Tenancy;

/// <summary>
/// The SQL of tenants' roles. A role belongs to the cluster, and several of its databases may have a schema of one name:
/// so a role's name is the schema's, cut off at 50 characters, and a hash of database and schema. The server makes it,
/// because behind a pooler the client may know the database by another name.
/// </summary>
internal static class TenantRoleSql
{
    /// <summary>What stands before a statement that runs as a tenant's role; its end, too.</summary>
    private const string Begin = "DO $role$BEGIN PERFORM pg_catalog.set_config('role', ";

    private const string End = ", true); END$role$;\n";

    /// <summary>Switches to the tenant's role until the transaction ends. Gives no result set.</summary>
    public static string Switch(SchemaName schema) => $"{Begin}{Name(schema)}{End}";

    /// <summary>The same to a group role.</summary>
    public static string Switch(string role) => $"{Begin}'{RoleName.Parse(role).Value}'{End}";

    /// <summary>Where the statement proper begins.</summary>
    public static int Length(string text) => text.StartsWith(Begin, StringComparison.Ordinal)
        ? text.IndexOf(End, StringComparison.Ordinal) + End.Length
        : 0;

    /// <summary>An expression.</summary>
    public static string Name(SchemaName schema) => NameOf($"'{schema.Value}'");

    /// <param name="schema">An expression: the schema's name, of the type text.</param>
    public static string NameOf(string schema) =>
        $"pg_catalog.left({schema}, 50) || '_' || pg_catalog.left(pg_catalog.encode(pg_catalog.sha256(" +
        $"pg_catalog.convert_to(pg_catalog.current_database() || '.' || {schema}, 'UTF8')), 'hex'), 12)";

    /// <summary>
    /// Makes the role, with what its schema has by now and will have: rows of tables, numbers of sequences. Does no harm
    /// where it is there. One statement, whose cost doesn't grow with the catalog: what is in a schema is found by
    /// pg_depend's index.
    /// </summary>
    /// <param name="schema">A schema that is there, with all its tables.</param>
    /// <param name="options">Names the shared group.</param>
    /// <param name="login">The login that serves tenants.</param>
    /// <param name="historyTable">Which nobody but the owner writes.</param>
    public static string Create(SchemaName schema, TenantRoleOptions options, string login, string historyTable) =>
        $$"""
        DO $role$
        DECLARE
            role text := {{Name(schema)}};
            thing record;
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = role) THEN
                EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', role);
                EXECUTE pg_catalog.format('GRANT "{{RoleName.Parse(options.Shared).Value}}" TO %I', role);
                -- Of a login that is NOINHERIT: it may become the role, and has none of its rights before.
                EXECUTE pg_catalog.format('GRANT %I TO %I', role, {{Literal(login)}});
            END IF;
            EXECUTE pg_catalog.format('GRANT USAGE ON SCHEMA {{schema.Quoted}} TO %I', role);
            FOR thing IN
                SELECT relname, relkind FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_class AS c ON c.oid = d.objid
                WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_namespace'::regclass
                    AND d.refobjid = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = '{{schema.Value}}')
                    AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND relname <> {{Literal(historyTable)}}
            LOOP
                EXECUTE pg_catalog.format(
                    CASE thing.relkind WHEN 'S' THEN 'GRANT USAGE ON SEQUENCE {{schema.Quoted}}.%I TO %I'
                        ELSE 'GRANT SELECT, INSERT, UPDATE, DELETE ON {{schema.Quoted}}.%I TO %I' END, thing.relname, role);
            END LOOP;
            EXECUTE pg_catalog.format('ALTER DEFAULT PRIVILEGES IN SCHEMA {{schema.Quoted}} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %I', role);
            EXECUTE pg_catalog.format('ALTER DEFAULT PRIVILEGES IN SCHEMA {{schema.Quoted}} GRANT USAGE ON SEQUENCES TO %I', role);
        END $role$;

        """;

    /// <summary>After the schema was renamed.</summary>
    public static string Rename(SchemaName from, SchemaName to) =>
        $"""
        DO $role$
        BEGIN
            EXECUTE pg_catalog.format('ALTER ROLE %I RENAME TO %I', {Name(from)}, {Name(to)});
        END $role$;

        """;

    /// <summary>Takes all its rights in this database and drops it, where it is there.</summary>
    public static string Drop(SchemaName schema) =>
        $"""
        DO $role$
        DECLARE
            role text := {Name(schema)};
        BEGIN
            IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = role) THEN
                -- To drop what a role owns, or was granted, takes its rights.
                EXECUTE pg_catalog.format('GRANT %I TO %I', role, current_user);
                EXECUTE pg_catalog.format('DROP OWNED BY %I', role);
                EXECUTE pg_catalog.format('DROP ROLE %I', role);
            END IF;
        END $role$;

        """;

    private static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}

using Microsoft.EntityFrameworkCore.Migrations;

namespace Tenancy;

/// <summary>
/// Lets the database tell all processes when a tenant changes, so that none serves it as it was:
/// <see cref="TenancyOptions.DirectoryListenTime"/>. Triggers send it in the transaction of the change, whoever makes
/// it: the library, the migration job, or a statement by hand.
/// </summary>
public static class TenantNotices
{
    /// <summary>The channel of <c>NOTIFY</c>.</summary>
    internal const string Channel = "tenancy_directory";

    /// <summary>Begins the payload that names slugs, with commas between.</summary>
    internal const string Slugs = "slugs:";

    /// <summary>Begins the payload that names schemas, with commas between.</summary>
    internal const string Schemas = "schemas:";

    /// <summary>Payloads have at most 8,000 bytes: a statement that changes more than these says <c>*</c>.</summary>
    private const string Most = "100";

    /// <summary>For the ledger, whose state and version decide whether a tenant is served.</summary>
    internal const string OnLedger =
        $"""
        CREATE OR REPLACE FUNCTION tenancy.tell_ledger() RETURNS trigger
            LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $tell$
        BEGIN
            PERFORM pg_notify('{Channel}', CASE WHEN count(*) > {Most} THEN '*' ELSE '{Schemas}' || string_agg(n.schema, ',') END)
            FROM new_rows AS n JOIN old_rows AS o USING (schema)
            WHERE (n.state, n.version) IS DISTINCT FROM (o.state, o.version) HAVING count(*) > 0;
            RETURN NULL;
        END $tell$;
        CREATE OR REPLACE TRIGGER tell_directory AFTER UPDATE ON tenancy.schemas
            REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tenancy.tell_ledger();

        """;

    /// <summary>For a registry's table, which has the column <c>slug</c>.</summary>
    /// <param name="table">With its schema, quoted where it has to be.</param>
    internal static string OnRegistry(string table) =>
        $"""
        CREATE OR REPLACE FUNCTION tenancy.tell_registry() RETURNS trigger
            LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $tell$
        BEGIN
            IF TG_OP = 'UPDATE' THEN
                PERFORM pg_notify('{Channel}', CASE WHEN count(*) > {Most} THEN '*' ELSE '{Slugs}' || string_agg(s.slug, ',') END)
                FROM (SELECT slug FROM old_rows UNION SELECT slug FROM new_rows) AS s HAVING count(*) > 0;
            ELSE
                PERFORM pg_notify('{Channel}', CASE WHEN count(*) > {Most} THEN '*' ELSE '{Slugs}' || string_agg(s.slug, ',') END)
                FROM old_rows AS s HAVING count(*) > 0;
            END IF;
            RETURN NULL;
        END $tell$;
        CREATE OR REPLACE TRIGGER tell_directory AFTER UPDATE ON {table}
            REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tenancy.tell_registry();
        CREATE OR REPLACE TRIGGER tell_directory_of_deletes AFTER DELETE ON {table}
            REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION tenancy.tell_registry();

        """;

    /// <summary>
    /// For the shared context's migration, where the application has the registry's and the ledger's tables
    /// (<see cref="LedgerModel.AddTenancyLedger"/>): makes the triggers. Then set
    /// <see cref="TenancyOptions.DirectoryListenTime"/>.
    /// </summary>
    /// <param name="migration">The migration.</param>
    /// <param name="registry">The registry's table, with its schema, quoted where it has to be. It becomes SQL as it
    /// is. Its slugs are in the column <c>slug</c>.</param>
    public static void NotifyTenantChanges(this MigrationBuilder migration, string registry)
    {
        ArgumentNullException.ThrowIfNull(migration);
        ArgumentException.ThrowIfNullOrEmpty(registry);
        migration.Sql(OnLedger + OnRegistry(registry));
    }

    /// <summary>Undoes <see cref="NotifyTenantChanges"/>.</summary>
    /// <param name="migration">The migration.</param>
    /// <param name="registry">The registry's table.</param>
    public static void StopNotifyingTenantChanges(this MigrationBuilder migration, string registry)
    {
        ArgumentNullException.ThrowIfNull(migration);
        ArgumentException.ThrowIfNullOrEmpty(registry);
        migration.Sql(
            $"""
            DROP TRIGGER tell_directory ON tenancy.schemas;
            DROP TRIGGER tell_directory ON {registry};
            DROP TRIGGER tell_directory_of_deletes ON {registry};
            DROP FUNCTION tenancy.tell_ledger();
            DROP FUNCTION tenancy.tell_registry();
            """);
    }
}

using Npgsql;
using Tenancy.Guard;
using Tests.Integration.Citus;
using Xunit;

namespace Tests.Integration.Guard;

/// <summary>
/// The guard's lists against the running server's own: PostgreSQL 15 by default, 18 with <c>TEST_POSTGRES=fetch</c>.
/// Whatever the server's catalog has is allowed or refused for a stated reason.
/// </summary>
public sealed class CatalogCompletenessTests(App app)
{
    // A function's overloads, folded into one row: whether all are IMMUTABLE; whether any is machinery, which no query
    // calls or a cast replaces; whether any takes or gives a value that names objects or rights.
    private const string Functions =
        """
        SELECT p.proname, bool_and(p.provolatile = 'i'),
          bool_and(p.prorettype = ANY (m.machinery) OR p.proargtypes::oid[] && m.machinery OR t.oid IS NOT NULL),
          bool_or(p.prorettype = ANY (m.machinery) OR p.proargtypes::oid[] && m.machinery OR t.oid IS NOT NULL),
          bool_or(all_types.types && m.names)
        FROM pg_proc p
        CROSS JOIN (SELECT
          array(SELECT oid FROM pg_type WHERE typtype = 'p' AND (typname LIKE '%\_handler' OR typname IN
            ('internal', 'cstring', 'trigger', 'event_trigger', 'pg_ddl_command'))) AS machinery,
          array(SELECT oid FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace AND
            (ltrim(typname, '_') LIKE 'reg%' OR ltrim(typname, '_') = 'aclitem')
            AND ltrim(typname, '_') NOT IN ('regconfig', 'regdictionary')) AS names) m
        CROSS JOIN LATERAL (SELECT p.prorettype || p.proargtypes::oid[] || coalesce(p.proallargtypes, '{}') AS types)
          AS all_types
        LEFT JOIN LATERAL (SELECT oid FROM pg_type
          WHERE p.oid IN (typinput, typoutput, typreceive, typmodin, typmodout, typanalyze) LIMIT 1) t ON true
        WHERE p.pronamespace = 'pg_catalog'::regnamespace AND NOT EXISTS (SELECT FROM pg_depend d
          WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
        GROUP BY p.proname ORDER BY p.proname
        """;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_function_of_the_server_is_allowed_or_refused_for_a_stated_reason()
    {
        var judged = AllowedFunctions.Groups.SelectMany(group => group.All).ToHashSet();
        var immutable = NameGroup.Split(ImmutableFunctions.Names).ToHashSet();
        List<string> unknown = [], wronglyAllowed = [];
        var count = 0;
        await foreach (var row in RowsAsync(app.ConnectionString, Functions))
        {
            count++;
            var name = row.GetString(0);
            var (pure, onlyMachinery) = (row.GetBoolean(1), row.GetBoolean(2));
            var (machinery, names) = (row.GetBoolean(3), row.GetBoolean(4));
            if (!PostgresCatalog.MayCall(name) && PostgresCatalog.KnownHarm(name) is null && !onlyMachinery)
            {
                unknown.Add(name);
            }

            // What the rule allows by itself has to obey the rule; what a person judged stands in a group.
            if (immutable.Contains(name) && !judged.Contains(name) && (!pure || machinery || names))
            {
                wronglyAllowed.Add(name);
            }
        }

        Assert.True(count > 2_500);
        Assert.True(unknown.Count == 0, $"In no list: {string.Join(' ', unknown)}");
        Assert.True(wronglyAllowed.Count == 0, $"Against the rule: {string.Join(' ', wronglyAllowed)}");
    }

    [Fact]
    public async Task Every_catalog_of_the_server_is_readable_or_refused_for_a_stated_reason()
    {
        List<string> unknown = [];
        await foreach (var row in RowsAsync(
            app.ConnectionString,
            """
            SELECT relname FROM pg_class c WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'v')
              AND NOT EXISTS (SELECT FROM pg_depend d
                WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
            """))
        {
            var name = row.GetString(0);
            if (PostgresCatalog.WhyNotRead(name)?.Contains("isn't on the list", StringComparison.Ordinal) == true)
            {
                unknown.Add(name);
            }
        }

        Assert.True(unknown.Count == 0, $"In no list: {string.Join(' ', unknown)}");
    }

    /// <summary>They stand in <c>pg_catalog</c>, and are in no list: what is in none is refused.</summary>
    [Fact]
    public async Task No_function_and_no_relation_of_Citus_is_a_tenants_to_use()
    {
        CitusCluster.SkipWithout();
        List<string> allowed = [];
        var rules = new FunctionRules([]);
        var count = 0;
        await foreach (var row in RowsAsync(
            app.ConnectionString,
            """
            SELECT p.proname, n.nspname, true FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
            JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
            JOIN pg_extension e ON e.oid = d.refobjid WHERE e.extname LIKE 'citus%'
              AND p.proname <> 'any_value' -- PostgreSQL's own from 16 on
            UNION ALL
            SELECT c.relname, n.nspname, false FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
            JOIN pg_extension e ON e.oid = d.refobjid WHERE e.extname LIKE 'citus%'
            """))
        {
            count++;
            var (name, schema, isFunction) = (row.GetString(0), row.GetString(1), row.GetBoolean(2));
            if (isFunction
                ? rules.WhyNotCall(null, name) is null
                    || schema == "pg_catalog" && rules.WhyNotCall(schema, name) is null
                : schema == "pg_catalog" && PostgresCatalog.WhyNotRead(name) is null)
            {
                allowed.Add(name);
            }
        }

        Assert.True(count > 300);
        Assert.True(allowed.Count == 0, $"Allowed: {string.Join(' ', allowed)}");
    }

    [Fact]
    public async Task A_readable_catalog_shows_nothing_of_a_customers_table()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        await ExecuteAsync(database,
            """
            CREATE SCHEMA customer_xyzzy; CREATE TABLE customer_xyzzy.plugh (frotz text DEFAULT 'quendor');
            INSERT INTO customer_xyzzy.plugh SELECT 'quendor' FROM generate_series(1, 100);
            ANALYZE customer_xyzzy.plugh;
            """);
        var here = new HashSet<string>();
        await foreach (var row in RowsAsync(
            database, "SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace"))
        {
            here.Add(row.GetString(0));
        }

        foreach (var relation in NameGroup.Split(CatalogRelations.Readable).Where(here.Contains))
        {
            await foreach (var row in RowsAsync(database, $"SELECT r::text FROM pg_catalog.{relation} r"))
            {
                Assert.DoesNotMatch("xyzzy|plugh|frotz|quendor", row.GetString(0));
            }
        }
    }

    [Fact]
    public async Task Every_type_that_names_objects_is_refused()
    {
        List<string> wrong = [];
        await foreach (var row in RowsAsync(
            app.ConnectionString,
            """
            SELECT typname FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace
              AND (ltrim(typname, '_') LIKE 'reg%' OR ltrim(typname, '_') = 'aclitem')
            """))
        {
            var name = row.GetString(0);
            if (PostgresCatalog.MayUseType(name) != name is "regconfig" or "regdictionary" or "_regconfig"
                or "_regdictionary")
            {
                wrong.Add(name);
            }
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public async Task Every_function_of_an_available_extension_is_allowed_or_refused_for_a_stated_reason()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        // Languages run code of their own and need their runtimes; what isn't PostgreSQL's own isn't listed here.
        await ExecuteAsync(database,
            """
            DO $$
            DECLARE name text;
            BEGIN
              FOR name IN SELECT e.name FROM pg_available_extensions e WHERE e.name IN ('adminpack', 'amcheck',
                'autoinc', 'bloom', 'btree_gin', 'btree_gist', 'citext', 'cube', 'dblink', 'dict_int', 'dict_xsyn',
                'earthdistance', 'file_fdw', 'fuzzystrmatch', 'hstore', 'insert_username', 'intagg', 'intarray', 'isn',
                'lo', 'ltree', 'moddatetime', 'old_snapshot', 'pageinspect', 'pg_buffercache', 'pg_freespacemap',
                'pg_logicalinspect', 'pg_overexplain', 'pg_prewarm', 'pg_stat_statements', 'pg_surgery', 'pg_trgm',
                'pg_visibility', 'pg_walinspect', 'pgcrypto', 'pgrowlocks', 'pgstattuple', 'postgres_fdw', 'refint',
                'seg', 'sslinfo', 'tablefunc', 'tcn', 'tsm_system_rows', 'tsm_system_time', 'unaccent', 'uuid-ossp',
                'xml2')
              LOOP
                BEGIN
                  EXECUTE format('CREATE EXTENSION IF NOT EXISTS %I CASCADE', name);
                -- A library that isn't installed, or a user who isn't a superuser: nothing to compare.
                EXCEPTION WHEN OTHERS THEN RAISE NOTICE '%', SQLERRM;
                END;
              END LOOP;
            END $$;
            """);
        List<string> unknown = [];
        await foreach (var row in RowsAsync(
            database,
            """
            SELECT e.extname, p.proname FROM pg_proc p
            JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
            JOIN pg_extension e ON e.oid = d.refobjid
            WHERE e.extname NOT LIKE 'citus%'
              AND NOT (p.prorettype::regtype::text || ' ' || p.proargtypes::regtype[]::text)
              ~ '\m(internal|cstring|language_handler)\M'
            """))
        {
            var (extension, name) = (row.GetString(0), row.GetString(1));
            if (ContribFunctions.WhyNot(name) is null && !ContribFunctions.IsHarmless(name)
                && !PostgresCatalog.MayCall(name))
            {
                unknown.Add($"{extension}:{name}");
            }
        }

        Assert.True(unknown.Count == 0, $"In no list: {string.Join(' ', unknown)}");
    }

    [Fact]
    public async Task Every_setting_on_the_list_is_one_that_any_user_may_set()
    {
        var listed = SettingLists.Settable.SelectMany(group => group.All).Where(name => !name.Contains('.'))
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        List<string> wrong = [];
        await foreach (var row in RowsAsync(
            app.ConnectionString, "SELECT name FROM pg_settings WHERE context <> 'user'"))
        {
            if (listed.Contains(row.GetString(0)))
            {
                wrong.Add(row.GetString(0));
            }
        }

        Assert.Empty(wrong);
    }

    private static async IAsyncEnumerable<NpgsqlDataReader> RowsAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(Ct);
        while (await reader.ReadAsync(Ct))
        {
            yield return reader;
        }
    }

    private static async Task ExecuteAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Ct);
    }
}

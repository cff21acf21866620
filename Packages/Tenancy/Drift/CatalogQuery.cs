using Tenancy.Roles;

namespace Tenancy.Drift;

/// <summary>
/// Reads schemas from the catalog as text. Two schemas that are alike give the same text: one item for each
/// thing and each grant. The same two queries read hashes and items of tenants' schemas and of the reference.
/// </summary>
/// <remarks>
/// An item is: kind, the thing it is part of (or nothing), name, facts; a fact is a label and a value. Columns are told
/// by name, not by number, so their order doesn't count and dropped columns don't either. Whoever owns a schema may do
/// everything in it and counts nowhere: the reference has another owner where somebody else than the fleet's owner
/// compares.
/// </remarks>
internal static class CatalogQuery
{
    /// <summary>Between the parts of an item.</summary>
    public const char Part = '\x1f';

    /// <summary>Between label and value of a fact; between grantee and right in a grant's name.</summary>
    public const char Is = '\x1e';

    /// <summary>
    /// One number for each schema: the sum of its items' 64-bit hashes, so nothing is sorted. Keys and indexes are told
    /// by their columns' numbers here, and each column has its own: equal hashes mean equal items, but equal items may
    /// have several hashes, one for each order in which columns came and went.
    /// </summary>
    /// <remarks>
    /// Half the time of a hash of what people are told: most of that is names looked up by number, and
    /// pg_get_constraintdef and pg_get_indexdef.
    /// </remarks>
    public static string Hashes(int serverMajor) =>
        Query("coalesce(sum(hashtextextended(item, 0)), 0)::text", serverMajor, inWords: false);

    /// <summary>An array of all items for each schema.</summary>
    public static string Items(int serverMajor) => Query("coalesce(array_agg(item), '{}')", serverMajor, inWords: true);

    /// <remarks>
    /// PostgreSQL has no index that leads from a schema to what is in it: pg_class, pg_type, pg_proc and pg_default_acl
    /// are read once for all schemas of <c>$1</c>, and from there on everything is found by its table's oid. Correlated
    /// subqueries rather than joins, because those keep their plan (index, row by row) whether the catalogs were ever
    /// analysed or not.
    ///
    /// Definitions name what the search path doesn't find: with the schema itself on the path its name is in none of
    /// them, and nothing has to be cut out of a text that may have it in a literal. CASE sets the path before the
    /// subquery reads: PostgreSQL's manual, "Expression Evaluation Rules".
    /// </remarks>
    private static string Query(string aggregate, int serverMajor, bool inWords) =>
        $"""
        WITH chunk AS MATERIALIZED (
            SELECT n.oid, n.nspname, n.nspowner AS owner, n.nspacl AS acl, r.oids AS relations, t.oids AS types, p.oids AS routines, d.oids AS defaults
            FROM pg_namespace AS n
            LEFT JOIN (SELECT relnamespace, array_agg(oid) AS oids FROM pg_class WHERE relnamespace = ANY ($1) AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c') GROUP BY relnamespace) AS r
                ON r.relnamespace = n.oid
            LEFT JOIN (SELECT typnamespace, array_agg(oid) AS oids FROM pg_type WHERE typnamespace = ANY ($1) AND typtype IN ('e', 'd', 'r') GROUP BY typnamespace) AS t
                ON t.typnamespace = n.oid
            LEFT JOIN (SELECT pronamespace, array_agg(oid) AS oids FROM pg_proc WHERE pronamespace = ANY ($1) GROUP BY pronamespace) AS p
                ON p.pronamespace = n.oid
            LEFT JOIN (SELECT defaclnamespace, array_agg(oid) AS oids FROM pg_default_acl WHERE defaclnamespace = ANY ($1) GROUP BY defaclnamespace) AS d
                ON d.defaclnamespace = n.oid
            WHERE n.oid = ANY ($1)
        )
        SELECT nspname::text, CASE WHEN set_config('search_path', quote_ident(nspname) || ', pg_catalog', true) IS NOT NULL THEN (SELECT {aggregate} FROM (
        {string.Join("\nUNION ALL\n", Branches(serverMajor, inWords))}
        ) AS items) END
        FROM chunk
        """;

    private static IEnumerable<string> Branches(int serverMajor, bool inWords) =>
    [
        $"""
        SELECT {Item("CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' WHEN 'c' THEN 'composite type' ELSE 'table' END", "''", "relname",
            Fact("", "CASE relpersistence WHEN 'u' THEN 'unlogged' ELSE 'logged' END"),
            Fact("row security", "CASE WHEN relrowsecurity THEN 'on' ELSE 'off' END"),
            Fact("row security of the owner", "CASE WHEN relforcerowsecurity THEN 'on' ELSE 'off' END"),
            Fact("replica identity", "CASE relreplident WHEN 'd' THEN 'default' WHEN 'n' THEN 'nothing' WHEN 'f' THEN 'full' ELSE 'index' END"),
            Fact("options", "reloptions::text"),
            Owner("relowner"),
            Fact("partition", "CASE WHEN relispartition THEN pg_get_expr(relpartbound, c.oid) END"),
            Fact("partition key", "CASE WHEN relkind = 'p' THEN pg_get_partkeydef(c.oid) END"),
            Fact("parents", "(SELECT string_agg(inhparent::regclass::text, ', ' ORDER BY inhseqno) FROM pg_inherits WHERE inhrelid = c.oid)"),
            Fact("definition", "CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END"))} AS item
        FROM pg_class AS c WHERE c.oid = ANY (chunk.relations) AND relkind <> 'S'
        """,
        $"""
        SELECT {Item("'column'", "relname", "attname",
            inWords ? "NULL" : Fact("number", "attnum::text"),
            Fact("type", "format_type(atttypid, atttypmod)"),
            Fact("", "CASE WHEN attnotnull THEN 'not null' ELSE 'nullable' END"),
            Fact("default", "CASE WHEN atthasdef AND attgenerated = '' THEN (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = attrelid AND adnum = attnum) END"),
            // Since PostgreSQL 18 there are virtual ones besides the stored.
            Fact("generated value", "CASE WHEN atthasdef AND attgenerated <> '' THEN (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = attrelid AND adnum = attnum)"
                + " || CASE attgenerated WHEN 'v' THEN ' VIRTUAL' ELSE '' END END"),
            Fact("identity", "CASE attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END"),
            // 100 is the database's own.
            Fact("collation", "CASE WHEN attcollation NOT IN (0, 100) THEN attcollation::regcollation::text END"))}
        FROM pg_class AS c JOIN pg_attribute ON attrelid = c.oid
        WHERE c.oid = ANY (chunk.relations) AND relkind <> 'S' AND attnum > 0 AND NOT attisdropped
        """,
        // Without NOT NULL's, which PostgreSQL 18 has and names by itself: columns say that.
        $"""
        SELECT {Item("'constraint'", "relname", "conname", inWords ? Fact("", Definition) : Fact("", $"CASE WHEN contype IN ('c', 'x') THEN {Definition} ELSE {RawKey(serverMajor)} END"))}
        FROM pg_class AS c JOIN pg_constraint AS k ON conrelid = c.oid
        WHERE c.oid = ANY (chunk.relations) AND contype IN ('c', 'f', 'p', 'u', 'x')
        """,
        // Up to PostgreSQL 17 there are none. A column with one is "not null" though it may hold nulls.
        $"""
        SELECT {Item("'unvalidated'", "relname", "(SELECT attname FROM pg_attribute WHERE attrelid = conrelid AND attnum = conkey[1])")}
        FROM pg_class AS c JOIN pg_constraint ON conrelid = c.oid
        WHERE c.oid = ANY (chunk.relations) AND contype = 'n' AND NOT convalidated
        """,
        inWords
            // What makes a constraint is told as the constraint.
            ? $"""
            SELECT {Item("'index'", "c.relname", "x.relname", Fact("invalid", "CASE WHEN NOT indisvalid THEN 'yes' END"), Fact("", "pg_get_indexdef(indexrelid, 0, true)"))}
            FROM pg_class AS c JOIN pg_index ON indrelid = c.oid JOIN pg_class AS x ON x.oid = indexrelid
            WHERE c.oid = ANY (chunk.relations)
                AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = indrelid AND conname = x.relname AND contype IN ('p', 'u', 'x'))
            """
            : $"""
            SELECT {Item("'index'", "c.relname", "x.relname",
                "indisvalid", "indisunique", serverMajor >= 15 ? "indnullsnotdistinct" : "NULL", "x.relam", "indkey::text", "indnkeyatts", "indoption::text", "indclass::text", "indcollation::text",
                "coalesce(x.reloptions::text, '')", "coalesce(pg_get_expr(indexprs, indrelid), '')", "coalesce(pg_get_expr(indpred, indrelid), '')")}
            FROM pg_class AS c JOIN pg_index ON indrelid = c.oid JOIN pg_class AS x ON x.oid = indexrelid
            WHERE c.oid = ANY (chunk.relations)
            """,
        // Of the column that it was made for, if it was.
        $"""
        SELECT {Item("'sequence'", "coalesce(o.relname, '')", "c.relname",
            Fact("type", "format_type(seqtypid, NULL)"), Fact("start", "seqstart::text"), Fact("increment", "seqincrement::text"), Fact("maximum", "seqmax::text"), Fact("minimum", "seqmin::text"),
            Fact("cache", "seqcache::text"), Fact("", "CASE WHEN seqcycle THEN 'cycling' ELSE 'ending' END"), Fact("column", "o.attname::text"), Owner("relowner"))}
        FROM pg_class AS c JOIN pg_sequence ON seqrelid = c.oid
            LEFT JOIN LATERAL (
                SELECT t.relname, attname FROM pg_depend JOIN pg_class AS t ON t.oid = refobjid JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
                WHERE classid = 'pg_class'::regclass AND objid = c.oid AND refclassid = 'pg_class'::regclass AND deptype IN ('a', 'i') LIMIT 1) AS o ON true
        WHERE c.oid = ANY (chunk.relations) AND c.relkind = 'S'
        """,
        // A reference's own triggers have names with numbers in them; they count only where somebody has disabled them,
        // and then by the constraint's.
        $"""
        SELECT {Item("CASE WHEN tgisinternal THEN 'disabled' ELSE 'trigger' END", "relname", "CASE WHEN tgisinternal THEN (SELECT conname FROM pg_constraint WHERE oid = tgconstraint) ELSE tgname END",
            Fact("", "CASE tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'enabled on replicas' WHEN 'A' THEN 'always enabled' ELSE 'enabled' END"),
            Fact("definition", "CASE WHEN NOT tgisinternal THEN pg_get_triggerdef(t.oid, true) END"))}
        FROM pg_class AS c JOIN pg_trigger AS t ON tgrelid = c.oid
        WHERE c.oid = ANY (chunk.relations) AND relhastriggers AND (NOT tgisinternal OR tgenabled <> 'O')
        """,
        $"""
        SELECT {Item("'rule'", "relname", "rulename", Fact("", "CASE ev_enabled WHEN 'D' THEN 'disabled' ELSE 'enabled' END"), Fact("definition", "pg_get_ruledef(r.oid, true)"))}
        FROM pg_class AS c JOIN pg_rewrite AS r ON ev_class = c.oid
        WHERE c.oid = ANY (chunk.relations) AND relhasrules AND rulename <> '_RETURN'
        """,
        $"""
        SELECT {Item("'policy'", "relname", "polname",
            Fact("", "CASE WHEN polpermissive THEN 'permissive' ELSE 'restrictive' END"),
            Fact("command", "CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'all' END"),
            Fact("roles", $"(SELECT string_agg({Role("id")}, ', ' ORDER BY {Role("id")} COLLATE \"C\") FROM unnest(polroles) AS id)"),
            Fact("condition", "pg_get_expr(polqual, polrelid)"),
            Fact("check", "pg_get_expr(polwithcheck, polrelid)"))}
        FROM pg_class AS c JOIN pg_policy ON polrelid = c.oid
        WHERE c.oid = ANY (chunk.relations)
        """,
        $"""
        SELECT {Item("CASE typtype WHEN 'e' THEN 'enum type' WHEN 'd' THEN 'domain' ELSE 'range type' END", "''", "typname",
            Fact("labels", "(SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid)"),
            Fact("type", "CASE WHEN typbasetype <> 0 THEN format_type(typbasetype, typtypmod) END"),
            Fact("", "CASE WHEN typtype = 'd' THEN CASE WHEN typnotnull THEN 'not null' ELSE 'nullable' END END"),
            // Not its text, which names the schema.
            Fact("default", "coalesce(pg_get_expr(typdefaultbin, 0), typdefault)"),
            Fact("checks", "(SELECT string_agg(pg_get_constraintdef(oid, true), ', ' ORDER BY conname) FROM pg_constraint WHERE contypid = t.oid AND contype = 'c')"),
            Owner("typowner"))}
        FROM pg_type AS t WHERE t.oid = ANY (chunk.types)
        """,
        $"""
        SELECT {Item(RoutineKind, "''", Signature,
            Fact("arguments", "pg_get_function_arguments(p.oid)"),
            Fact("result", "pg_get_function_result(p.oid)"),
            Fact("language", "(SELECT lanname::text FROM pg_language WHERE oid = prolang)"),
            Fact("volatility", "CASE provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END"),
            Fact("rights", "CASE WHEN prosecdef THEN 'its owner''s' ELSE 'its caller''s' END"),
            Fact("", "CASE WHEN proisstrict THEN 'strict' ELSE 'not strict' END"),
            Fact("leakproof", "CASE WHEN proleakproof THEN 'yes' ELSE 'no' END"),
            Fact("parallel", "CASE proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' ELSE 'unsafe' END"),
            // The schema's name is text in both: in every schema another one.
            Fact("settings", $"(SELECT array_agg({SettingOfAny} ORDER BY place)::text FROM unnest(proconfig) " +
                "WITH ORDINALITY AS s (setting, place))"),
            Fact("body", serverMajor >= 14 ? $"coalesce(pg_get_function_sqlbody(p.oid), {BodyOfAny})" : BodyOfAny),
            Owner("proowner"))}
        FROM pg_proc AS p WHERE p.oid = ANY (chunk.routines)
        """,
        Grants("'the schema'", "(SELECT) AS s", "chunk.acl", "true", "chunk.owner"),
        Grants(RelationName, "pg_class AS c", "relacl", "c.oid = ANY (chunk.relations)", "relowner"),
        Grants("'column ' || relname || '.' || attname",
            "pg_class AS c JOIN pg_attribute ON attrelid = c.oid AND attnum > 0", "attacl",
            "c.oid = ANY (chunk.relations) AND attacl IS NOT NULL", "relowner"),
        Grants($"{RoutineKind} || ' ' || {Signature}", "pg_proc AS p", "coalesce(proacl, acldefault('f', proowner))",
            "p.oid = ANY (chunk.routines)", "proowner"),
        Grants("'type ' || typname", "pg_type AS t", "coalesce(typacl, acldefault('T', typowner))",
            "t.oid = ANY (chunk.types)", "typowner"),
        Grants(
            "CASE defaclobjtype WHEN 'r' THEN 'new tables' WHEN 'S' THEN 'new sequences' WHEN 'f' THEN 'new " +
            "functions' ELSE 'new types' END"
                + " || CASE WHEN defaclrole <> chunk.owner THEN ' of ' || pg_get_userbyid(defaclrole) ELSE '' END",
            "pg_default_acl AS d", "defaclacl", "d.oid = ANY (chunk.defaults)", "defaclrole"),
    ];

    private const string BodyOfAny =
        $"replace(prosrc, '\"' || chunk.nspname || '\"', '\"{TenantPlaceholder.Schema}\"')";

    private const string SettingOfAny =
        $"""
        CASE WHEN setting LIKE 'search_path=%' THEN 'search_path=' || array_to_string(array_replace(
            string_to_array(substr(setting, 13), ', '), quote_ident(chunk.nspname), '{TenantPlaceholder.Schema}'), ', ') ELSE setting END
        """;

    private const string Definition = "pg_get_constraintdef(k.oid, true)";

    /// <summary>Primary and unique keys are their indexes besides, which have the same names.</summary>
    private static string RawKey(int serverMajor) =>
        $"""
        concat_ws(' ', contype, condeferrable, condeferred, convalidated, connoinherit, conkey,{(serverMajor >= 18 ? " conenforced, conperiod," : "")}
            CASE WHEN contype = 'f' THEN concat_ws(' ', confrelid::regclass, confkey, confupdtype, confdeltype, confmatchtype{(serverMajor >= 15 ? ", confdelsetcols" : "")}) END)
        """;

    private const string RelationName =
        "CASE relkind WHEN 'S' THEN 'sequence ' WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view ' WHEN 'f' " +
        "THEN 'foreign table ' WHEN 'c' THEN 'composite type ' ELSE 'table ' END || relname";

    private const string RoutineKind =
        "CASE prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END";

    private const string Signature = "proname || '(' || pg_get_function_identity_arguments(p.oid) || ')'";

    /// <summary>One item for each right that somebody else than the owner has.</summary>
    private static string Grants(string on, string from, string acl, string where, string owner) =>
        $"""
        SELECT {Item("'grant'", on, $"{Role("grantee")} || E'\\x1e' || privilege_type || CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END")}
        FROM {from}, aclexplode({acl}) AS g WHERE {where} AND grantee <> {owner}
        """;

    private static string Item(string kind, string of, string name, params string[] facts) =>
        $"concat_ws(E'\\x1f', {string.Join(", ", [kind, of, name, .. facts])})";

    /// <param name="label">Empty where the value says it all.</param>
    /// <param name="value">SQL; what is null is left out.</param>
    private static string Fact(string label, string value) => $"E'{label}\\x1e' || ({value})";

    private static string Owner(string role) =>
        Fact("owner", $"CASE WHEN {role} <> chunk.owner THEN pg_get_userbyid({role})::text END");

    /// <remarks>The tenant's own has another name for each schema.</remarks>
    private static string Role(string id) =>
        $"CASE {id} WHEN 0 THEN 'PUBLIC' ELSE CASE WHEN {TenantRoleSql.IsNameOf($"pg_get_userbyid({id})::text", "chunk.nspname::text")} " +
        $"THEN 'the tenant''s role' ELSE pg_get_userbyid({id})::text END END";
}

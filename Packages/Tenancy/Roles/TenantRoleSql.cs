using System.Security.Cryptography;
using System.Text;

namespace Tenancy.Roles;

/// <summary>The SQL of tenants' roles.</summary>
/// <param name="options">With <see cref="TenantRoleOptions.Database"/> set.</param>
internal sealed class TenantRoleSql(TenantRoleOptions options)
{
    /// <summary>
    /// In a block, because SET LOCAL alone warns where nobody began a transaction, though the message's is meant. A
    /// block gives no result set and takes some 15 microseconds; set_config with an expression took 95.
    /// </summary>
    private const string Begin = "DO $role$BEGIN SET LOCAL ROLE ";

    private const string End = "; END$role$;\n";

    private const int OfSchema = 50;
    private const int OfHash = 12;

    /// <summary>See <see cref="TenantRoleOptions.Database"/>.</summary>
    public string Database => options.Database!;

    /// <summary>Whether a role's name is one of a schema's, of whichever database: an expression.</summary>
    /// <param name="role">An expression.</param>
    /// <param name="schema">An expression.</param>
    public static string IsNameOf(string role, string schema) =>
        $"left({role}, -{OfHash + 1}) = left({schema}, {OfSchema}) " +
        $"AND right({role}, {OfHash + 1}) ~ '^_[0-9a-f]{{{OfHash}}}$'";

    /// <summary>As <see cref="Name"/>: an expression.</summary>
    /// <param name="database">An expression.</param>
    /// <param name="schema">An expression.</param>
    public static string NameOf(string database, string schema) =>
        $"left({schema}, {OfSchema}) || '_' || " +
        $"left(encode(sha256(convert_to({database} || '.' || {schema}, 'UTF8')), 'hex'), {OfHash})";

    /// <summary>Where the statement proper begins, after what switches.</summary>
    public static int Length(string text) => text.StartsWith(Begin, StringComparison.Ordinal)
        ? text.IndexOf(End, StringComparison.Ordinal) + End.Length
        : 0;

    /// <summary>The schema's name, cut off at 50 characters, and a hash of database and schema.</summary>
    public string Name(SchemaName schema)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{options.Database}.{schema.Value}"));
        var name = schema.Value.Length > OfSchema ? schema.Value[..OfSchema] : schema.Value;
        return $"{name}_{Convert.ToHexStringLower(hash.AsSpan(0, OfHash / 2))}";
    }

    /// <summary>Switches to the tenant's role until the transaction ends. Gives no result set.</summary>
    public string Switch(SchemaName schema) => $"{Begin}\"{Name(schema)}\"{End}";

    /// <summary>The same to the role that reaches all tenants' schemas.</summary>
    /// <exception cref="InvalidOperationException">None is named.</exception>
    public string SwitchToAll() => options.All is { } all
        ? $"{Begin}{RoleName.Parse(all).Quoted}{End}"
        : throw new InvalidOperationException(
            "Each tenant has a role that reaches no other tenant's schema, so nothing reads across tenants: name the " +
            "role that does, TenantRoleOptions.All.");

    /// <summary>
    /// Makes the role, with what its schema has by now and will have: rows of tables, numbers of sequences. Does no
    /// harm where it is there. Its cost doesn't grow with the catalog: what is in a schema is found by pg_depend's
    /// index.
    /// </summary>
    /// <param name="schema">A schema that is there, with all its tables.</param>
    /// <param name="login">The login that serves tenants. It is NOINHERIT: it may become the role, and has none of its
    /// rights before.</param>
    /// <param name="historyTable">Which nobody but the owner writes.</param>
    public string Create(SchemaName schema, string login, string historyTable) =>
        Block(Creation(schema, login, historyTable));

    /// <summary>
    /// After a schema was renamed: renames its role, too. Makes one where none can follow, because a build without the
    /// option made the schema, or left the role of another one that had the name.
    /// </summary>
    /// <param name="from">The schema's old name.</param>
    /// <param name="to">Its name of now.</param>
    /// <param name="login">See <see cref="Create"/>.</param>
    /// <param name="historyTable">See <see cref="Create"/>.</param>
    public string Rename(SchemaName from, SchemaName to, string login, string historyTable) => Block(
        $"""
            IF {Exists(from)} AND NOT {Exists(to)} THEN
                ALTER ROLE "{Name(from)}" RENAME TO "{Name(to)}";
                RETURN;
            END IF;
        {Dropping(from)}
        {Creation(to, login, historyTable)}
        """);

    /// <summary>Takes all its rights in this database and drops it, where it is there.</summary>
    public string Drop(SchemaName schema) => Block(Dropping(schema));

    private static string Block(string body) =>
        $"""
        DO $role$
        DECLARE
            thing record;
        BEGIN
        {body}
        END $role$;

        """;

    private string Exists(SchemaName schema) =>
        $"EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = '{Name(schema)}')";

    private string Creation(SchemaName schema, string login, string historyTable) =>
        $$"""
            IF NOT {{Exists(schema)}} THEN
                CREATE ROLE "{{Name(schema)}}" NOLOGIN;
            END IF;
            GRANT {{RoleName.Parse(options.Shared).Quoted}} TO "{{Name(schema)}}";
            GRANT "{{Name(schema)}}" TO "{{login.Replace("\"", "\"\"", StringComparison.Ordinal)}}";
            GRANT USAGE ON SCHEMA {{schema.Quoted}} TO "{{Name(schema)}}";
            FOR thing IN
                SELECT relname, relkind FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_class AS c ON c.oid = d.objid
                WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_namespace'::regclass
                    AND d.refobjid = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = '{{schema.Value}}')
                    AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
                    AND relname <> '{{historyTable.Replace("'", "''", StringComparison.Ordinal)}}'
            LOOP
                EXECUTE pg_catalog.format(
                    CASE thing.relkind
                        WHEN 'S' THEN
                            'GRANT {{TenancyRoles.OnSequences}} ON SEQUENCE {{schema.Quoted}}.%I TO "{{Name(schema)}}"'
                        ELSE 'GRANT {{TenancyRoles.OnTables}} ON {{schema.Quoted}}.%I TO "{{Name(schema)}}"' END,
                    thing.relname);
            END LOOP;
            ALTER DEFAULT PRIVILEGES IN SCHEMA {{schema.Quoted}}
                GRANT {{TenancyRoles.OnTables}} ON TABLES TO "{{Name(schema)}}";
            ALTER DEFAULT PRIVILEGES IN SCHEMA {{schema.Quoted}}
                GRANT {{TenancyRoles.OnSequences}} ON SEQUENCES TO "{{Name(schema)}}";
        """;

    private string Dropping(SchemaName schema) =>
        $"""
            IF {Exists(schema)} THEN
                -- Only a member may take what a role was granted.
                EXECUTE pg_catalog.format('GRANT "{Name(schema)}" TO %I', current_user);
                DROP OWNED BY "{Name(schema)}";
                DROP ROLE "{Name(schema)}";
            END IF;
        """;
}

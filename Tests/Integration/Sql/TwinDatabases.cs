using System.Text.RegularExpressions;
using Npgsql;
using Tenancy;
using Tests.Integration.Server;
using Xunit;

namespace Tests.Integration.Sql;

/// <summary>
/// Two databases with the same tables, functions and types: in one they are in a schema that is really named like the
/// placeholder, in the other in a tenant's. What a statement does in the first is what its rewritten text has to do in
/// the second.
/// </summary>
internal sealed partial class TwinDatabases : IAsyncDisposable
{
    private const string Objects = """
        CREATE SCHEMA "__Tenant__";
        CREATE TABLE "__Tenant__".words (id int, word text);
        INSERT INTO "__Tenant__".words VALUES (1, 'one'), (2, '"__Tenant__"'), (3, 'it''s $$ -- /* \');
        CREATE TABLE "__Tenant__".numbers (n int);
        INSERT INTO "__Tenant__".numbers VALUES (1), (2), (5);
        CREATE TYPE "__Tenant__".mood AS ENUM ('ok', '"__Tenant__"');
        CREATE FUNCTION "__Tenant__".answer() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'forty-two' $$;
        CREATE FUNCTION "__Tenant__".one() RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT 1 $$;
        CREATE FUNCTION "__Tenant__".shout(said text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT upper(said) || '!' $$;
        CREATE OPERATOR "__Tenant__".<+> (LEFTARG = text, RIGHTARG = text, FUNCTION = textcat);
        """;

    /// <summary>
    /// Runs a statement on the server, where no driver rewrites it first, many in one round trip; says its rows, or its
    /// error; undoes what it did.
    /// </summary>
    private const string Run = """
        CREATE FUNCTION public.run(statement text) RETURNS text LANGUAGE plpgsql AS $run$
        DECLARE
            found record;
            answer text := 'rows';
        BEGIN
            FOR found IN EXECUTE statement USING 'first', 2, 'third' LOOP
                answer := answer || chr(10) || found::text;
            END LOOP;
            RAISE EXCEPTION USING ERRCODE = 'UNDO0';
        EXCEPTION
            WHEN SQLSTATE 'UNDO0' THEN RETURN answer;
            WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM;
        END
        $run$;
        """;

    private readonly NpgsqlDataSource _placeholder;
    private readonly NpgsqlDataSource _tenant;

    private TwinDatabases(string placeholder, string tenant)
    {
        _placeholder = NpgsqlDataSource.Create(placeholder);
        _tenant = NpgsqlDataSource.Create(tenant);
    }

    /// <summary>As long as the placeholder, so that not even the length of a name tells the two apart.</summary>
    public static SchemaName Schema { get; } = SchemaName.Parse("customer_x");

    public static async Task<TwinDatabases> CreateAsync(TestServer server, CancellationToken ct)
    {
        var twins = new TwinDatabases(await server.ConnectionStringAsync(ct), await server.ConnectionStringAsync(ct));
        await CreateAsync(twins._placeholder, "", ct);
        await CreateAsync(twins._tenant, $"ALTER SCHEMA \"__Tenant__\" RENAME TO {Schema}", ct);
        return twins;
    }

    public Task<string[]> WithPlaceholderAsync(string[] statements, CancellationToken ct) =>
        RunAsync(_placeholder, statements, ct);

    public Task<string[]> WithTenantAsync(string[] statements, CancellationToken ct) =>
        RunAsync(_tenant, statements, ct);

    /// <summary>An error's words name the schema, quoted if it needs to be.</summary>
    public static string WithoutSchema(string answer) => Succeeded(answer) ? answer : Names().Replace(answer, "?");

    public static bool Succeeded(string answer) => answer.StartsWith("rows", StringComparison.Ordinal);

    public async ValueTask DisposeAsync()
    {
        await _placeholder.DisposeAsync();
        await _tenant.DisposeAsync();
    }

    private static async Task CreateAsync(NpgsqlDataSource database, string rename, CancellationToken ct)
    {
        await using var create = database.CreateCommand(Objects + Run + rename);
        await create.ExecuteNonQueryAsync(ct);
    }

    private static async Task<string[]> RunAsync(NpgsqlDataSource database, string[] statements, CancellationToken ct)
    {
        await using var command = database.CreateCommand(
            "SELECT array_agg(public.run(statement) ORDER BY place) FROM unnest($1) WITH ORDINALITY AS all_of " +
            "(statement, place)");
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = statements });
        var answers = (string[])(await command.ExecuteScalarAsync(ct))!;
        Assert.Equal(statements.Length, answers.Length);
        return answers;
    }

    [GeneratedRegex("\"?(__Tenant__|customer_x)\"?")]
    private static partial Regex Names();
}

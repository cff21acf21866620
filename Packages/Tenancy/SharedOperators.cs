using Npgsql;

namespace Tenancy;

/// <summary>
/// Operators of the shared schemas' types. SQL names an operator by its sign alone, so PostgreSQL looks for it on the
/// search path. Where the path has not the type's schema, a value is compared by the operators of a type that it is
/// cast to: <c>citext</c> as <c>text</c>, case-sensitively, and nobody says a word.
/// </summary>
public static class SharedOperators
{
    private const string Query =
        """
        SELECT DISTINCT quote_ident(n.nspname) || '.' || quote_ident(t.typname), quote_ident(n.nspname),
            quote_ident(e.extname)
        FROM pg_catalog.pg_operator AS o
        JOIN pg_catalog.pg_namespace AS n ON n.oid = o.oprnamespace
        JOIN pg_catalog.pg_type AS t ON t.oid = o.oprleft
        LEFT JOIN pg_catalog.pg_depend AS d
            ON d.classid = 'pg_catalog.pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
        LEFT JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid
        WHERE n.nspname = ANY ($1) AND o.oprname = '=' AND o.oprright = o.oprleft
            AND NOT pg_catalog.pg_operator_is_visible(o.oid)
            AND EXISTS (SELECT FROM pg_catalog.pg_cast AS c WHERE c.castsource = t.oid AND c.castcontext = 'i')
        ORDER BY 1 LIMIT 1
        """;

    /// <summary>
    /// To be called at start-up, by the login that serves: whether each type of
    /// <see cref="TenancyOptions.SharedSchemas"/> that is cast to another by itself has its operators on the path.
    /// </summary>
    /// <param name="database">Of the login that serves tenants; its search path counts.</param>
    /// <param name="options">Names the shared schemas.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="UnseenOperatorsException">One hasn't; the message says what to do.</exception>
    public static async Task RefuseUnseenAsync(
        NpgsqlDataSource database, TenancyOptions options, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(options);
        // Asked once, beside the start: it belongs to nobody's trace.
        using var unrecorded = TenancyTelemetry.Unrecorded();
        await using var ask = database.CreateCommand(Query);
        ask.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. options.SharedSchemas] });
        await using var found = await ask.ExecuteReaderAsync(ct);
        if (await found.ReadAsync(ct))
        {
            var move = await found.IsDBNullAsync(2, ct)
                ? "Move the type and its operators to public."
                : $"Move them: ALTER EXTENSION {found.GetString(2)} SET SCHEMA public.";
            throw new UnseenOperatorsException(
                $"The operators of {found.GetString(0)} aren't on the search path, so its values would be compared " +
                $"as those of the type that they are cast to, and nothing would fail. {move} Or put the schema on " +
                "the path of the logins that serve and migrate: ALTER ROLE ... SET search_path = public, " +
                $"{found.GetString(1)}.");
        }
    }
}

/// <summary>A shared type's values would be compared by another type's operators.</summary>
/// <param name="message">Which, and what to do.</param>
public sealed class UnseenOperatorsException(string message) : InvalidOperationException(message);

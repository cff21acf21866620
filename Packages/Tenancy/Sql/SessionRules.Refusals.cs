namespace Tenancy.Sql;

/// <summary>The refusals' messages.</summary>
internal sealed partial class SessionRules
{
    public static CommandRefusedException ForeignPath(string name) => new(
        CommandRule.ForeignSchema,
        $"The routine's search_path has {name}. Write SET search_path = \"{TenantPlaceholder.Schema}\", or name each " +
        "table with its schema in the body and set no path: only so the routine works in every tenant's schema.");

    public static CommandRefusedException ResetPath() => Hidden(
        "Without its search_path the routine's body would look for its tables in public. Write SET search_path = " +
        $"\"{TenantPlaceholder.Schema}\" instead of RESET, or make the routine anew with each table's schema in its " +
        "body");

    public static CommandRefusedException ForeignTable() => Hidden(
        "A foreign table reads what its options say, in another database or in another tenant's schema of this one. " +
        "Make it once, by the shared migrations, in a schema of TenancyOptions.SharedSchemas, and declare it in " +
        "TenancyOptions.SharedTables");

    public static CommandRefusedException UnreadBody(string what) => Hidden(
        $"The guard reads bodies in sql and plpgsql, not {what}. Write it in one of those; or make the routine " +
        "once, by the shared migrations, in a schema of TenancyOptions.SharedSchemas, and call it there");

    public static CommandRefusedException PlaceholderInLiteral() => Hidden(
        $"\"{TenantPlaceholder.Schema}\" stands inside a literal of a routine's body, which is data. Name the schema " +
        "as an identifier; a trigger finds its table's schema in TG_TABLE_SCHEMA");

    public static CommandRefusedException CursorWithHold() => Session("A cursor WITH HOLD outlives its transaction");

    public static CommandRefusedException Prepared() =>
        Session("CREATE TABLE ... AS EXECUTE runs a statement that the session keeps");

    /// <summary>VACUUM, or CREATE OPERATOR +: it goes to all tables, or to search_path.</summary>
    public static CommandRefusedException NamesNothing(string verb) => new(
        CommandRule.MissingSchema,
        $"{verb.ToUpperInvariant()} names no object with its schema, so it would take all tables of the database, or " +
        $"what search_path finds in public. Write \"{TenantPlaceholder.Schema}\".name.");

    private static CommandRefusedException Session(string why, bool local = false) => new(
        CommandRule.SessionState,
        local
            ? $"{why}."
            : $"{why}, where the next tenant of the pooled connection would find it (and behind PgBouncer, any " +
                "client). SET LOCAL, set_config(..., true) and pg_advisory_xact_lock end with the transaction.");

    private static CommandRefusedException Hidden(string why) => new(CommandRule.HiddenSql, $"{why}.");

    private static CommandRefusedException GlobalObject(string what) => new(
        CommandRule.GlobalObject,
        $"{what.ToUpperInvariant()} changes what belongs to the whole database or server: do it once, in the shared " +
        "migrations, not once per tenant.");
}

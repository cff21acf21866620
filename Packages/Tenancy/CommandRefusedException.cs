namespace Tenancy;

/// <summary>The guard's rules, as a refused command breaks them.</summary>
public enum CommandRule
{
    /// <summary>
    /// It names a schema that is neither the placeholder nor <c>pg_catalog</c> nor declared as shared: another
    /// tenant's, perhaps.
    /// </summary>
    ForeignSchema,

    /// <summary>It names a table without a schema, which <c>search_path</c> would look for in <c>public</c>.</summary>
    MissingSchema,

    /// <summary>It changes a shared table.</summary>
    SharedTableIsReadOnly,

    /// <summary>It leaves something in the session, where the pool's next tenant would find it.</summary>
    SessionState,

    /// <summary>It changes what belongs to the whole database or server.</summary>
    GlobalObject,

    /// <summary>It runs SQL that the guard can't see.</summary>
    HiddenSql,

    /// <summary>The guard can't read it as PostgreSQL's SQL: it is cut off, nested too deeply, or wrong.</summary>
    UnknownSyntax,

    /// <summary>
    /// It reads a catalog, calls a function or names a type of the server's by which other tenants are seen or
    /// touched, or one that isn't on the list.
    /// </summary>
    ServerObject,
}

/// <summary>
/// A tenant's command was refused, before it was sent: its message says why and what to do instead. It is the command's
/// author who has to act, never the tenant.
/// </summary>
public sealed class CommandRefusedException(CommandRule rule, string message) : InvalidOperationException(message)
{
    /// <summary>The broken rule.</summary>
    public CommandRule Rule { get; } = rule;
}

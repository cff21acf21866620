namespace Tenancy.Cli.Commands;

/// <summary>The process's exit codes. Anything but <see cref="Done"/> keeps what serves from
/// starting.</summary>
internal enum ExitCode
{
    /// <summary>Nothing is left to do; with <c>--on-failure isolate</c> also when tenants failed.</summary>
    Done = 0,

    /// <summary>
    /// Tenants failed, or <c>verify</c> found differences, or <c>doctor</c> a number over its limit.
    /// </summary>
    TenantsFailed = 1,

    /// <summary>The database or the shared schema failed: nothing is known of the tenants.</summary>
    DatabaseFailed = 2,

    /// <summary>More tenants of a ring failed than may, or somebody halted the run.</summary>
    Halted = 3,

    /// <summary>The build has a migration that no tenant's schema can get: the database is not the cause.</summary>
    BuildFailed = 4,

    /// <summary>As in sysexits.h.</summary>
    Usage = 64,

    /// <summary>Ctrl+C, or the orchestrator asked; what was migrated stays.</summary>
    Cancelled = 130,
}

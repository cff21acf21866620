using Microsoft.EntityFrameworkCore;
using Tenancy.Migrations;

namespace Tenancy;

/// <summary>
/// The migrations that a build has, known without EF: its first use takes longer than a run that finds nothing to do.
/// </summary>
public static class MigrationIds
{
    /// <summary>
    /// The ids of a context's migrations in its own assembly, by the attributes that EF's tools write, in order.
    /// </summary>
    /// <typeparam name="TContext">Any context, a tenant's or a shared one.</typeparam>
    public static IReadOnlyList<string> Of<TContext>() where TContext : DbContext => [.. MigrationCompiler.Ids(typeof(TContext)).Keys];
}

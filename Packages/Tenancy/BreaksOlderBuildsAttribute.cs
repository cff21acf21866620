namespace Tenancy;

/// <summary>
/// Marks a migration of the tenant model after which builds that don't have it can't work: a column dropped or renamed
/// that they still read. As soon as a tenant's schema has it, older builds answer that tenant with "being upgraded"
/// instead of serving it.
/// </summary>
/// <remarks>
/// Without the mark a schema ahead of a build is served: migrations expand first and contract when nobody needs the old
/// shape any more.
/// </remarks>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class BreaksOlderBuildsAttribute : Attribute;

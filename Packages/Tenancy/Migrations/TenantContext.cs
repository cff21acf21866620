using System.Reflection;
using Microsoft.EntityFrameworkCore;

namespace Tenancy.Migrations;

/// <summary>A context type whose tables every tenant has.</summary>
/// <param name="Type">A <see cref="DbContext"/>.</param>
/// <param name="Assembly">Where its migrations are.</param>
/// <param name="Open">Makes one that serves nobody, outside of any request. To be disposed of.</param>
internal sealed record TenantContext(Type Type, Assembly Assembly, Func<DbContext> Open);

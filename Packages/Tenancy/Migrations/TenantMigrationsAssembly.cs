// EF's own assembly of migrations is public by need and internal by name.
#pragma warning disable EF1001

using System.Reflection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Internal;
using Tenancy.Leasing;

namespace Tenancy.Migrations;

/// <summary>
/// EF's, with the migrations and the snapshot of a model that had other schemas, or none, before it was a tenant's.
/// </summary>
internal sealed class TenantMigrationsAssembly(
    ICurrentDbContext currentContext, IDbContextOptions options, IMigrationsIdGenerator idGenerator,
    IDiagnosticsLogger<DbLoggerCategory.Migrations> logger)
    : MigrationsAssembly(currentContext, options, idGenerator, logger)
{
    private readonly ReplacedSchemas _schemas = options.FindExtension<TenancyExtension>()?.Moved ?? new([]);
    private ModelSnapshot? _snapshot;

    /// <summary>Changed in place: EF's tools write the next one under its class's name.</summary>
    public override ModelSnapshot? ModelSnapshot
    {
        get
        {
            if (_snapshot is null && base.ModelSnapshot is { } snapshot)
            {
                _schemas.Move((IMutableModel)snapshot.Model);
                _snapshot = snapshot;
            }

            return _snapshot;
        }
    }

    public override Migration CreateMigration(TypeInfo migrationClass, string activeProvider)
    {
        var migration = base.CreateMigration(migrationClass, activeProvider);
        _schemas.Move(migration);
        return migration;
    }
}

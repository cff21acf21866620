using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Migrations;
using Tenancy.Stamping;

namespace Tenancy.Migrations;

/// <summary>
/// A command that <see cref="TenantMigrationsSqlGenerator"/> wrote itself. It uses functions that the guard refuses in
/// an application's SQL, because there nobody knows which sequence their text names.
/// </summary>
internal sealed class OwnCommand(
    TenantCommand command, DbContext? context, IRelationalCommandDiagnosticsLogger logger)
    : MigrationCommand(command, context, logger);

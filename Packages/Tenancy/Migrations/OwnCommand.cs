using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Migrations;
using Tenancy.Sql;

namespace Tenancy.Migrations;

/// <summary>
/// A command that the library wrote itself. It uses what the guard refuses in an application's SQL: functions that take
/// a sequence's name as text, EXECUTE of a text that is put together.
/// </summary>
internal sealed class OwnCommand(
    TenantCommand command, DbContext? context, IRelationalCommandDiagnosticsLogger logger)
    : MigrationCommand(command, context, logger)
{
    /// <summary>An operation's annotation: its SQL is the library's.</summary>
    public const string Annotation = "Tenancy:Own";
}

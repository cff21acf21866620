// NpgsqlMigrationsSqlGenerator asks for its provider's options, which are public by need and internal by name.
#pragma warning disable EF1001

using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure.Internal;
using Npgsql.EntityFrameworkCore.PostgreSQL.Migrations;

namespace Tenancy.Migrations;

/// <summary>
/// Creates the tenant's schema by a plain statement. Npgsql's own is a DO block with the name in a literal: the stamp leaves literals
/// alone, so that block would create the placeholder itself.
/// </summary>
internal sealed class TenantMigrationsSqlGenerator(MigrationsSqlGeneratorDependencies dependencies, INpgsqlSingletonOptions options)
    : NpgsqlMigrationsSqlGenerator(dependencies, options)
{
    protected override void Generate(EnsureSchemaOperation operation, IModel? model, MigrationCommandListBuilder builder)
    {
        // IF NOT EXISTS: EF's own MigrateAsync says this twice, for the history table and in the first migration.
        builder
            .Append("CREATE SCHEMA IF NOT EXISTS ")
            .Append(Dependencies.SqlGenerationHelper.DelimitIdentifier(operation.Name))
            .AppendLine(Dependencies.SqlGenerationHelper.StatementTerminator)
            .EndCommand();
    }
}

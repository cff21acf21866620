using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Tenancy.Registries;

/// <summary>The table <c>tenancy.tenants</c>, see <see cref="TenancyTables"/>.</summary>
internal sealed class BuiltInRegistry([FromKeyedServices(TenancyOptions.OwnerKey)] NpgsqlDataSource database)
    : TableRegistry(database, "tenancy.tenants", databaseColumn: "database");

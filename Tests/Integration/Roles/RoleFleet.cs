using Data.Invoicing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Tenancy.Roles;
using Tests.Integration.Citus;
using Tests.Integration.Customers;
using Tests.Integration.Server;
using Xunit;

namespace Tests.Integration.Roles;

/// <summary>
/// A database of one test's own whose tenants have roles, served by a login that has no rights but theirs.
/// </summary>
internal sealed class RoleFleet : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly List<SchemaName> _schemas = [];
    private readonly string _shared;

    private RoleFleet(ServiceProvider services, string shared)
    {
        _services = services;
        _shared = shared;
    }

    public IServiceProvider Services => _services;

    public NpgsqlDataSource Owner => _services.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.OwnerKey);

    public NpgsqlDataSource Login => _services.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.TenantsKey);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <param name="server">Has the database.</param>
    /// <param name="configure">Of the options, last.</param>
    public static async Task<RoleFleet> StartAsync(
        TestServer server, Action<TenancyOptions>? configure = null)
    {
        CitusCluster.SkipOn("Citus logs in to its nodes as the role of the moment, and a tenant's role can't log in.");
        var database = await server.ConnectionStringAsync(Ct);
        var login = server.AsNewLogin(database);
        var shared = $"shared_{Guid.NewGuid():n}";
        await CustomersDatabase.MigrateAsync(database);

        await using (var source = NpgsqlDataSource.Create(database))
        await using (var share = source.CreateCommand(
            $"CREATE ROLE {shared} NOLOGIN; GRANT SELECT ON public.currencies TO {shared}"))
        {
            await share.ExecuteNonQueryAsync(Ct);
        }

        var services = new ServiceCollection().AddLogging().AddTenancy<InvoicingContext>(options =>
        {
            options.ConnectionString = database;
            options.TenantConnectionString = login;
            options.TenantRoles = new(shared, "tenancy_api");
            configure?.Invoke(options);
        }).BuildServiceProvider();
        await services.GetRequiredService<TenantLogin>().EnsureAsync("tenancy_api", Ct);
        return new(services, shared);
    }

    public async Task<Tenant> NewAsync(string slug)
    {
        var provisioner = _services.GetRequiredService<SchemaProvisioner>();
        await using var connection = await Owner.OpenConnectionAsync(Ct);
        await using var transaction = await connection.BeginTransactionAsync(Ct);
        var schema = await provisioner.ProvisionAsync(transaction, $"customer_{slug}", ct: Ct);
        await transaction.CommitAsync(Ct);
        _schemas.Add(schema);
        return new(Guid.NewGuid(), slug, schema);
    }

    public async Task NewSpareAsync()
    {
        await using var connection = await Owner.OpenConnectionAsync(Ct);
        await using var transaction = await connection.BeginTransactionAsync(Ct);
        await _services.GetRequiredService<SchemaProvisioner>().CreateSpareAsync(transaction, Ct);
        await transaction.CommitAsync(Ct);
    }

    public InvoicingContext For(Tenant tenant) =>
        _services.GetRequiredService<TenantContextFactory<InvoicingContext>>().Create(tenant);

    public async Task<object?> OwnerAsync(string sql)
    {
        await using var command = Owner.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Ct);
    }

    public TenantRoleSql Sql => _services.GetRequiredService<TenancyOptions>().RoleSql!;

    /// <summary>What the tenant's role is called.</summary>
    public string RoleOf(Tenant tenant) => Sql.Name(tenant.Schema);

    public static async Task RefusedAsync(Func<Task> act) => Assert.Equal(
        PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(act)).SqlState);

    public static Contact NewContact(int number) => new()
    {
        Id = Guid.CreateVersion7(), Name = $"{number}", Email = $"{number}@example.com",
        CreatedAt = TimeProvider.System.GetUtcNow(),
    };

    public async ValueTask DisposeAsync()
    {
        await using (var connection = await Owner.OpenConnectionAsync(CancellationToken.None))
        {
            foreach (var schema in _schemas)
            {
                await using var drop = new NpgsqlCommand(Sql.Drop(schema), connection);
                await drop.ExecuteNonQueryAsync(CancellationToken.None);
            }

            await using var last = new NpgsqlCommand($"DROP OWNED BY {_shared}; DROP ROLE {_shared}", connection);
            await last.ExecuteNonQueryAsync(CancellationToken.None);
        }

        await _services.DisposeAsync();
    }
}

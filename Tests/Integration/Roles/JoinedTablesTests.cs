using Data;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Npgsql;
using Tenancy;
using Tenancy.Registries;
using Tests.Integration.Customers;
using Xunit;

namespace Tests.Integration.Roles;

/// <summary>Shared tables that tenants join (<see cref="TenancyOptions.ShareWithTenants"/>), on PostgreSQL
/// itself.</summary>
public sealed class JoinedTablesTests(App app)
{
    private const string Tables =
        """
        CREATE TABLE public.countries (code text PRIMARY KEY);
        CREATE SCHEMA "Ref"; CREATE TABLE "Ref"."Kinds" (name text PRIMARY KEY)
        """;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_login_that_serves_reads_them_after_a_run_and_writes_nothing_there()
    {
        var (owner, serving) = await DatabaseAsync();
        await using var database = NpgsqlDataSource.Create($"{owner};Pooling=false");
        var options = Options(owner, serving);

        // Several jobs at once, and one after them.
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => JoinedTables.EnsureAsync(database, options, Ct)));
        await JoinedTables.EnsureAsync(database, options, Ct);

        await using var served = NpgsqlDataSource.Create($"{serving};Pooling=false");
        Assert.Equal(0L, await ScalarAsync(served, "SELECT count(*) FROM public.countries, \"Ref\".\"Kinds\""));
        var refusal = await Assert.ThrowsAsync<PostgresException>(() =>
            ScalarAsync(served, "INSERT INTO public.countries VALUES ('at')"));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refusal.SqlState);
    }

    [Fact]
    public async Task What_a_login_has_by_its_group_is_not_granted_again()
    {
        var (owner, serving) = await DatabaseAsync();
        await using var database = NpgsqlDataSource.Create($"{owner};Pooling=false");
        await ScalarAsync(database, $"GRANT SELECT ON public.countries TO {DataRegistration.ApiRole}");

        await JoinedTables.EnsureAsync(
            database, new TenancyOptions { ConnectionString = owner, TenantConnectionString = serving }
                .ShareWithTenants("public.countries"), Ct);

        Assert.Equal(false, await ScalarAsync(database,
            $"SELECT relacl::text LIKE '%{new NpgsqlConnectionStringBuilder(serving).Username}%' FROM pg_class " +
            "WHERE oid = 'public.countries'::regclass"));
    }

    [Fact]
    public async Task Where_tenants_have_roles_their_groups_read_them_and_the_login_itself_does_not()
    {
        var (owner, serving) = await DatabaseAsync();
        await using var database = NpgsqlDataSource.Create($"{owner};Pooling=false");
        var options = Options(owner, serving);
        options.TenantRoles = new(DataRegistration.SharedRole, DataRegistration.ApiRole);

        await JoinedTables.EnsureAsync(database, options, Ct);

        Assert.Equal("tenancy_api tenancy_shared", await ScalarAsync(database,
            """
            SELECT string_agg(grantee::regrole::text, ' ' ORDER BY grantee::regrole::text)
            FROM pg_class, aclexplode(relacl) WHERE oid = '"Ref"."Kinds"'::regclass AND grantee <> relowner
            """));
    }

    [Fact]
    public async Task A_table_that_is_not_there_is_named()
    {
        var (owner, serving) = await DatabaseAsync();
        await using var database = NpgsqlDataSource.Create($"{owner};Pooling=false");

        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            JoinedTables.EnsureAsync(database, Options(owner, serving).ShareWithTenants("public.regions"), Ct));

        Assert.StartsWith("ShareWithTenants names public.regions, and the database has no such table",
            refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("countries")]
    [InlineData("public.*")]
    [InlineData("a.b.c")]
    public void A_name_without_its_schema_stops_the_start(string table)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Configuration["ConnectionStrings:app"] = "Host=nowhere";
        builder.AddTenancy("app", tenancy => tenancy.AddContext<global::Data.Invoicing.InvoicingContext>()
            .UseBuiltInRegistry().ShareWithTenants(table));
        using var host = builder.Build();

        var refusal = Assert.Throws<OptionsValidationException>(
            () => host.Services.GetRequiredService<TenancyOptions>());

        Assert.Contains("ShareWithTenants names each table with its schema", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_librarys_own_migration_sees_to_them()
    {
        var (owner, serving) = await DatabaseAsync();
        var builder = Host.CreateApplicationBuilder();
        builder.Configuration["ConnectionStrings:app"] = $"{owner};Pooling=false";
        builder.AddTenancy("app", tenancy => tenancy.AddContext<global::Data.Invoicing.InvoicingContext>()
            .UseBuiltInRegistry().ShareWithTenants("public.countries")
            .Configure(options => options.TenantConnectionString = $"{serving};Pooling=false"));
        using var host = builder.Build();

        await host.Services.GetRequiredService<Tenants>().MigrateAsync(Ct);

        await using var served = NpgsqlDataSource.Create($"{serving};Pooling=false");
        Assert.Equal(0L, await ScalarAsync(served, "SELECT count(*) FROM public.countries"));
        Assert.Contains("public.countries", host.Services.GetRequiredService<TenancyOptions>().SharedTables);
    }

    [Fact]
    public async Task The_samples_customers_join_its_currencies()
    {
        await using var database = await CustomersDatabase.CreateAsync(app);

        Assert.Equal(["public.currencies"],
            database.Application().GetRequiredService<TenancyOptions>().SharedTables);
    }

    private static TenancyOptions Options(string owner, string serving) =>
        new TenancyOptions { ConnectionString = owner, TenantConnectionString = serving }
            .ShareWithTenants("public.countries", "Ref.Kinds");

    /// <returns>The connection strings of the owner and of the login that serves, which has no rights there.</returns>
    private async Task<(string Owner, string Serving)> DatabaseAsync()
    {
        var owner = await app.Server.ConnectionStringAsync(Ct);
        await using var database = NpgsqlDataSource.Create($"{owner};Pooling=false");
        await using var make = database.CreateCommand(Tables);
        await make.ExecuteNonQueryAsync(Ct);
        return (owner, await app.Server.AddTenantsLoginAsync(owner, Ct));
    }

    private static async Task<object?> ScalarAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Ct);
    }
}

using Data;
using Data.Customers;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Integration.Fleet;

/// <summary>The history is EF's own: what EF has done we find, and what we have done EF finds.</summary>
public sealed class EfAgreementTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EF_finds_nothing_to_do_in_a_schema_of_ours_and_we_nothing_in_one_of_EFs()
    {
        await using var services = await ServicesAsync();
        var (ours, byEf) = (await CreateAsync(services, "ours"),
            new Tenant(Guid.NewGuid(), "by-ef", SchemaName.Parse("customer_by_ef")));
        await using var oursByEf = AsOwner(services, ours);
        await using var efs = AsOwner(services, byEf);

        Assert.Empty(await oursByEf.Database.GetPendingMigrationsAsync(Ct));
        await oursByEf.Database.MigrateAsync(Ct);
        await efs.Database.MigrateAsync(Ct);
        await ScalarAsync(services, $"INSERT INTO tenancy.schemas (schema, state) VALUES ('{byEf.Schema}', 'ready')");
        var report = await services.GetRequiredService<FleetMigrator>().RunAsync(new(), Ct);

        Assert.Equal((1, 0), (report.Migrated, report.Failed.Count));
        Assert.Equal(
            await ScalarAsync(services,
                "SELECT string_agg(\"MigrationId\" || \"ProductVersion\", ',' ORDER BY 1) FROM " +
                $"{ours.Schema.Qualify("__EFMigrationsHistory")}"),
            await ScalarAsync(services,
                "SELECT string_agg(\"MigrationId\" || \"ProductVersion\", ',' ORDER BY 1) FROM " +
                $"{byEf.Schema.Qualify("__EFMigrationsHistory")}"));
        Assert.Equal(2L,
            await ScalarAsync(services,
                "SELECT count(*) FROM tenancy.schemas WHERE version = " +
                $"'{services.GetRequiredService<CompiledMigrations>().Target}'"));
    }

    [Fact]
    public async Task What_one_takes_back_the_other_applies_again()
    {
        await using var services = await ServicesAsync();
        var tenant = await CreateAsync(services, "acme");
        var fleet = services.GetRequiredService<FleetMigrator>();
        await using var ef = AsOwner(services, tenant);

        Assert.Equal(1, (await fleet.RunAsync(new() { Down = true, To = "Initial" }, Ct)).Migrated);
        Assert.Equal(services.GetRequiredService<CompiledMigrations>().Ids.Skip(1),
            await ef.Database.GetPendingMigrationsAsync(Ct));
        await ef.Database.MigrateAsync(Ct);
        Assert.Equal(
            (1, 0), (await fleet.RunAsync(new(), Ct)) is var found ? (found.Migrated, found.Failed.Count) : default);

        await ef.GetService<IMigrator>().MigrateAsync("Initial", Ct);
        await ScalarAsync(services, "UPDATE tenancy.schemas SET version = ''");
        Assert.Equal(
            (1, 0), (await fleet.RunAsync(new(), Ct)) is var again ? (again.Migrated, again.Failed.Count) : default);
        Assert.Empty(await ef.Database.GetPendingMigrationsAsync(Ct));
    }

    [Fact]
    public async Task Both_at_once_do_it_once_and_only_EF_may_stumble()
    {
        await using var services = await ServicesAsync();
        var tenant = await CreateAsync(services, "acme");
        var fleet = services.GetRequiredService<FleetMigrator>();
        await fleet.RunAsync(new() { Down = true, To = "0" }, Ct);
        await using var ef = AsOwner(services, tenant);

        var byEf = ef.Database.MigrateAsync(Ct);
        Assert.Empty((await fleet.RunAsync(new(), Ct)).Failed);
        try
        {
            await byEf;
        }
        catch (PostgresException e)
            when (e.SqlState is PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.DuplicateTable
                or PostgresErrorCodes.DuplicateSchema or PostgresErrorCodes.UndefinedObject)
        {
            // It reads its history once and commits after each migration: what the run applied in between it applies
            // again, and is refused, also where an index that it drops is gone.
        }

        Assert.Equal(
            (0, 0), (await fleet.RunAsync(new(), Ct)) is var rest ? (rest.Migrated, rest.Failed.Count) : default);
        Assert.Empty(await ef.Database.GetPendingMigrationsAsync(Ct));
        Assert.Equal("ready", await ScalarAsync(services, "SELECT state FROM tenancy.schemas"));
    }

    private static InvoicingContext AsOwner(IServiceProvider services, Tenant tenant)
    {
        var options = new DbContextOptionsBuilder<InvoicingContext>();
        options.UseNpgsql(services.GetRequiredService<NpgsqlDataSource>()).UseTenancy();
        return new InvoicingContext(options.Options).For(tenant);
    }

    private static async Task<Tenant> CreateAsync(IServiceProvider services, string slug)
    {
        await using var scope = services.CreateAsyncScope();
        return (await scope.ServiceProvider.GetRequiredService<CustomerRegistry>().CreateAsync(slug, slug, ct: Ct))
            .AsTenant();
    }

    private static async Task<object?> ScalarAsync(IServiceProvider services, string sql)
    {
        await using var command = services.GetRequiredService<NpgsqlDataSource>().CreateCommand(sql);
        return await command.ExecuteScalarAsync(Ct);
    }

    private async Task<ServiceProvider> ServicesAsync()
    {
        var services = new ServiceCollection().AddLogging()
            .AddData(App.Configuration(await app.Server.ConnectionStringAsync(Ct))).BuildServiceProvider();
        await using var scope = services.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<CustomersContext>().Database.MigrateAsync(Ct);
        return services;
    }
}

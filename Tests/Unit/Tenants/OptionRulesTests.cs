using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Npgsql.EntityFrameworkCore.PostgreSQL.Migrations.Internal;
using Tenancy;
using Tenancy.Migrations;
using Xunit;

namespace Tests.Unit.Tenants;

/// <summary>EF's options that this library can't honour are refused with what to do instead.</summary>
public sealed class OptionRulesTests
{
    [Fact]
    public void A_seeding_delegate_is_refused_before_the_first_context_is_made()
    {
        foreach (var seeding in new Action<DbContextOptionsBuilder>[]
        {
            options => options.UseSeeding((_, _) => { }),
            options => options.UseAsyncSeeding((_, _, _) => Task.CompletedTask),
        })
        {
            using var services = new ServiceCollection().AddLogging()
                .AddTenancy<OptionsContext>(options => options.ConnectionString = "Host=nowhere", seeding)
                .BuildServiceProvider();

            var error = Assert.Throws<InvalidOperationException>(
                () => services.GetRequiredService<IDbContextFactory<OptionsContext>>().CreateDbContext());
            Assert.Contains("HasData", error.Message, StringComparison.Ordinal);
            Assert.Contains(
                "HasData", Assert.Throws<TenantMigrationException>(() => Compile(seeding)).Message,
                StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_service_of_the_librarys_stays_whoever_replaces_it_first()
    {
        static void Before(DbContextOptionsBuilder options) =>
            options.ReplaceService<IRelationalCommandBuilderFactory, RelationalCommandBuilderFactory>();

        var after = Assert.Throws<TenantMigrationException>(() => Compile(Before));
        var before = Assert.Throws<InvalidOperationException>(() =>
        {
            var options = new DbContextOptionsBuilder<OptionsContext>();
            Before(options);
            options.UseNpgsql().UseTenancy();
        });

        Assert.Contains("IRelationalCommandBuilderFactory", after.Message, StringComparison.Ordinal);
        Assert.Contains("IRelationalCommandBuilderFactory", before.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Changes_of_the_model_that_no_migration_makes_stop_a_run_as_they_stop_EF()
    {
        var error = Assert.Throws<TenantMigrationException>(() => Compile(_ => { }, changed: true));

        Assert.Contains("dotnet ef migrations add", error.Message, StringComparison.Ordinal);
        Compile(_ => { });
        Compile(options => options.ConfigureWarnings(
            warnings => warnings.Ignore(RelationalEventId.PendingModelChangesWarning)), changed: true);
        Compile(options => options.ConfigureWarnings(
            warnings => warnings.Log(RelationalEventId.PendingModelChangesWarning)), changed: true);
    }

    [Fact]
    public void The_history_tables_name_is_the_applications_and_its_schema_the_tenants()
    {
        var named = Compile(options => options.UseNpgsql(
            npgsql => npgsql.MigrationsHistoryTable("migrations", TenantPlaceholder.Schema)));
        var elsewhere = Assert.Throws<TenantMigrationException>(() =>
            Compile(options => options.UseNpgsql(npgsql => npgsql.MigrationsHistoryTable("migrations"))));

        Assert.Equal("migrations", named.HistoryTable);
        Assert.Contains("\"__Tenant__\".migrations", named.CreateHistory, StringComparison.Ordinal);
        Assert.Contains("UseTenancy()", elsewhere.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_history_without_the_column_that_runs_read_is_refused() => Assert.Contains(
        "MigrationId",
        Assert.Throws<TenantMigrationException>(
            () => Compile(options => options.ReplaceService<IHistoryRepository, OtherHistory>())).Message,
        StringComparison.Ordinal);

    private static CompiledSql Compile(Action<DbContextOptionsBuilder> configure, bool changed = false) =>
        MigrationCompiler.Compile(() =>
        {
            var options = new DbContextOptionsBuilder<OptionsContext>();
            options.UseNpgsql().UseTenancy().EnableServiceProviderCaching(false);
            configure(options);
            return new OptionsContext(options.Options) { Changed = changed };
        });
}

internal sealed class OptionsContext(DbContextOptions<OptionsContext> options) : DbContext(options)
{
    public bool Changed { get; init; }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasDefaultSchema(TenantPlaceholder.Schema);
        if (Changed)
        {
            modelBuilder.Entity("New", added => added.Property<Guid>("Id"));
        }
    }
}

[DbContext(typeof(OptionsContext)), Migration("20260101000000_Nothing")]
internal sealed class Nothing : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) =>
        migrationBuilder.EnsureSchema(TenantPlaceholder.Schema);
}

[DbContext(typeof(OptionsContext))]
internal sealed class OptionsContextModelSnapshot : ModelSnapshot
{
    protected override void BuildModel(ModelBuilder modelBuilder) =>
        modelBuilder.HasDefaultSchema(TenantPlaceholder.Schema);
}

internal sealed class OtherHistory(HistoryRepositoryDependencies dependencies)
#pragma warning disable EF1001 // Only a class derived from the provider's can be its replacement.
    : NpgsqlHistoryRepository(dependencies)
#pragma warning restore EF1001
{
    protected override void ConfigureTable(
        Microsoft.EntityFrameworkCore.Metadata.Builders.EntityTypeBuilder<HistoryRow> history)
    {
        base.ConfigureTable(history);
        history.Property(row => row.MigrationId).HasColumnName("id");
    }
}

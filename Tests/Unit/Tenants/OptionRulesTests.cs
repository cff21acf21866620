// What an application replaces is often public by need and internal by name.
#pragma warning disable EF1001

using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.EntityFrameworkCore.Update;
using Microsoft.EntityFrameworkCore.Update.Internal;
using Microsoft.Extensions.DependencyInjection;
using Npgsql.EntityFrameworkCore.PostgreSQL.Migrations.Internal;
using Npgsql.EntityFrameworkCore.PostgreSQL.Update.Internal;
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
    public void A_service_that_the_application_may_replace_is_its_own_whoever_comes_first()
    {
        static void Replace(DbContextOptionsBuilder options) =>
            options.ReplaceService<IModificationCommandBatchFactory, OtherBatches>()
                .ReplaceService<ICommandBatchPreparer, CommandBatchPreparer>();

        foreach (var configure in new Action<DbContextOptionsBuilder>[]
        {
            options => Replace(options.UseNpgsql().UseTenancy()),
            options =>
            {
                Replace(options);
                options.UseNpgsql().UseTenancy();
            },
        })
        {
            var options = new DbContextOptionsBuilder<OptionsContext>().EnableServiceProviderCaching(false);
            configure(options);
            using var db = new OptionsContext((DbContextOptions<OptionsContext>)options.Options);

            Assert.IsType<OtherBatches>(db.GetService<IModificationCommandBatchFactory>());
            Assert.IsType<CommandBatchPreparer>(db.GetService<ICommandBatchPreparer>());
        }
    }

    [Fact]
    public void Behind_a_switch_of_roles_the_batches_are_the_librarys()
    {
        using var services = new ServiceCollection().AddLogging()
            .AddTenancy<OptionsContext>(
                options =>
                {
                    options.ConnectionString = "Host=nowhere;Username=owner";
                    options.TenantConnectionString = "Host=nowhere;Username=login";
                    options.TenantRoles = new("shared");
                },
                options => options.ReplaceService<IModificationCommandBatchFactory, OtherBatches>())
            .BuildServiceProvider();

        var error = Assert.Throws<InvalidOperationException>(
            () => services.GetRequiredService<IDbContextFactory<OptionsContext>>().CreateDbContext());

        Assert.Contains("IModificationCommandBatchFactory", error.Message, StringComparison.Ordinal);
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

#pragma warning disable CA1812 // EF makes it.
internal sealed class OtherBatches(ModificationCommandBatchFactoryDependencies dependencies, IDbContextOptions options)
    : NpgsqlModificationCommandBatchFactory(dependencies, options);
#pragma warning restore CA1812

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

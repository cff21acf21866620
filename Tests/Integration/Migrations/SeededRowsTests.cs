using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;
using Tenancy;
using Tenancy.Migrations;
using Tests.Integration.Fleet;
using Xunit;

namespace Tests.Integration.Migrations;

/// <summary>HasData on a key that the database generates, as EF's tools write its migration.</summary>
public sealed class SeededRowsTests(App app, DriftFleet drift) : IClassFixture<DriftFleet>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_customer_has_the_rows_and_its_next_key_follows_them_whoever_migrated_it()
    {
        var build = MigrationCompiler.Find(typeof(SeededContext), () => new SeededContext(Options(drift.Fleet)));
        var provisioner = new SchemaProvisioner(build, new(drift.Fleet.Database, build), new());
        await using var connection = await drift.Fleet.Database.OpenConnectionAsync(Ct);
        await using var transaction = await connection.BeginTransactionAsync(Ct);
        var ours = await provisioner.ProvisionAsync(transaction, "seeded", ct: Ct);
        await transaction.CommitAsync(Ct);
        var byEf = SchemaName.Parse("seeded_by_ef");
        await using (var context = new SeededContext(Options(drift.Fleet)).For(new Tenant(Guid.NewGuid(), "ef", byEf)))
        {
            await context.Database.MigrateAsync(Ct);
        }

        foreach (var schema in new[] { ours, byEf })
        {
            Assert.Equal(3, await drift.Fleet.ScalarAsync(
                $"INSERT INTO {schema.Quoted}.kinds (name) VALUES ('third') RETURNING id"));
            Assert.Equal(3L, await drift.Fleet.ScalarAsync($"SELECT {schema.Quoted}.known()"));
        }
    }

    [Fact]
    public async Task A_batch_of_customers_gets_the_rows_and_each_goes_on_with_its_own_keys()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(TestFleet.Build(Array.Empty<string>()), 12);
        var build = MigrationCompiler.Find(typeof(SeededContext), () => new SeededContext(Options(fleet)));

        var report = await fleet.Migrator(build).RunAsync(new() { Workers = 1 }, Ct);

        Assert.Equal((12, 0), (report.Migrated, report.Failed.Count));
        foreach (var schema in schemas)
        {
            Assert.Equal(
                3, await fleet.ScalarAsync($"INSERT INTO {schema.Quoted}.kinds (name) VALUES ('third') RETURNING id"));
        }
    }

    private static DbContextOptions<SeededContext> Options(TestFleet fleet)
    {
        var options = new DbContextOptionsBuilder<SeededContext>();
        options.UseNpgsql(fleet.Database).UseTenancy();
        return options.Options;
    }
}

internal sealed class SeededContext(DbContextOptions<SeededContext> options) : DbContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasDefaultSchema(TenantPlaceholder.Schema);
        modelBuilder.Entity<Kind>(kind =>
        {
            kind.ToTable("kinds");
            kind.Property(k => k.Id).HasColumnName("id");
            kind.Property(k => k.Name).HasColumnName("name");
            kind.HasData(new Kind { Id = 1, Name = "first" }, new Kind { Id = 2, Name = "second" });
        });
    }
}

internal sealed class Kind
{
    public int Id { get; set; }

    public required string Name { get; set; }
}

[DbContext(typeof(SeededContext)), Migration("20260101000000_Kinds")]
internal sealed class Kinds : Migration
{
    protected override void BuildTargetModel(ModelBuilder modelBuilder)
    {
        modelBuilder.HasDefaultSchema(TenantPlaceholder.Schema);
        modelBuilder.Entity("Tests.Integration.Migrations.Kind", kind =>
        {
            kind.Property<int>("Id").ValueGeneratedOnAdd().HasColumnType("integer").HasColumnName("id")
                .UseIdentityByDefaultColumn();
            kind.Property<string>("Name").IsRequired().HasColumnType("text").HasColumnName("name");
            kind.HasKey("Id");
            kind.ToTable("kinds", TenantPlaceholder.Schema);
        });
    }

    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.EnsureSchema(TenantPlaceholder.Schema);
        migrationBuilder.CreateTable("kinds", table => new
        {
            id = table.Column<int>("integer").Annotation(
                Operations.Strategy, NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
            name = table.Column<string>("text"),
        }, TenantPlaceholder.Schema, table => table.PrimaryKey("PK_kinds", kind => kind.id));
        migrationBuilder.InsertData("kinds", ["id", "name"],
            new object[,] { { 1, "first" }, { 2, "second" } }, TenantPlaceholder.Schema);
        migrationBuilder.Sql(
            "CREATE FUNCTION \"__Tenant__\".known() RETURNS bigint LANGUAGE sql " +
            "AS $$ SELECT count(*) FROM \"__Tenant__\".kinds $$;");
    }
}

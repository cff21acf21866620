using Microsoft.EntityFrameworkCore;
using Tenancy;
using Xunit;

namespace Tests.Unit.Tenants;

/// <summary>A model that the stamp can't carry to every tenant is refused when it is built, with what to do instead.</summary>
public sealed class TenantModelRulesTests
{
    [Fact]
    public void A_model_of_tables_in_the_placeholders_schema_and_shared_ones_beside_it_is_a_tenants()
    {
        using var context = Model(model =>
        {
            model.Entity<Thing>().ToTable("things").Property(t => t.Number).UseIdentityAlwaysColumn();
            model.Entity<Kind>().ToTable("kinds", "public", table => table.ExcludeFromMigrations());
        });

        Assert.Equal(2, context.Model.GetEntityTypes().Count());
    }

    [Fact]
    public void Without_the_placeholder_all_tenants_would_share_its_tables() =>
        Refused("HasDefaultSchema(TenantPlaceholder.Schema)", model => model.HasDefaultSchema("public").Entity<Thing>());

    [Fact]
    public void Sequences_are_named_in_literals()
    {
        Refused("uuid v7", model => model.HasSequence("numbers"));
        Refused("identity", model => model.Entity<Thing>().Property(t => t.Number).UseSerialColumn());
        Refused("identity", model => model.Entity<Thing>().Property(t => t.Number).UseHiLo());
        Refused("identity", model => model.Entity<Thing>().Property(t => t.Number).HasDefaultValueSql("nextval('numbers')"));
        Refused("identity", model => model.UseHiLo().Entity<Thing>());
    }

    [Fact]
    public void Types_of_the_database_are_known_in_one_schema_only()
    {
        Refused("text with a check constraint", model => model.HasPostgresEnum("mood", ["good", "bad"]));
        Refused("two columns", model => model.HasPostgresRange("span", "int4"));
        Refused("shared model's migrations", model => model.HasPostgresExtension("citext"));
    }

    [Fact]
    public void The_placeholder_in_a_literal_is_data()
    {
        Refused("as an identifier", model => model.Entity<Thing>().ToTable(t => t.HasCheckConstraint("ck", "name <> '__Tenant__'")));
        Refused("as an identifier", model => model.Entity<Thing>().Property(t => t.Name).HasDefaultValueSql("'__Tenant__'"));
        Refused("as an identifier", model => model.Entity<Thing>().Property(t => t.Name).HasComputedColumnSql("'__Tenant__'", stored: true));
    }

    [Fact]
    public void A_shared_table_is_joined_and_not_owned()
    {
        Refused("ExcludeFromMigrations", model => model.Entity<Kind>().ToTable("kinds", "public"));
        Refused("join in the query", model =>
        {
            model.Entity<Kind>().ToTable("kinds", "public", table => table.ExcludeFromMigrations());
            model.Entity<Thing>().HasOne<Kind>().WithMany().HasForeignKey(t => t.KindId);
        });
        Refused("rename", model =>
        {
            model.Entity<Kind>().ToTable("things", "public", table => table.ExcludeFromMigrations());
            model.Entity<Thing>().ToTable("things");
        });
    }

    private static void Refused(string advice, Action<ModelBuilder> build)
    {
        using var context = Model(build);
        var refusal = Assert.Throws<InvalidOperationException>(() => context.Model);

        Assert.StartsWith("This model can't be a tenant's: ", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(advice, refusal.Message, StringComparison.Ordinal);
    }

    private static ProbeContext Model(Action<ModelBuilder> build)
    {
        var options = new DbContextOptionsBuilder<ProbeContext>();
        // Not cached: every probe has a model of its own.
        options.UseNpgsql().UseTenancy().EnableServiceProviderCaching(false);
        return new(options.Options, build);
    }

    internal sealed class Thing
    {
        public Guid Id { get; init; }

        public int Number { get; init; }

        public string Name { get; init; } = "";

        public Guid KindId { get; init; }
    }

    internal sealed class Kind
    {
        public Guid Id { get; init; }
    }

    internal sealed class ProbeContext(DbContextOptions<ProbeContext> options, Action<ModelBuilder> build) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.HasDefaultSchema(TenantPlaceholder.Schema);
            build(modelBuilder);
        }
    }
}

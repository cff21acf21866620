using System.ComponentModel.DataAnnotations.Schema;
using Microsoft.EntityFrameworkCore;
using Tenancy;
using Xunit;

namespace Tests.Unit.Tenants;

/// <summary>
/// A model that the rewriter can't carry to every tenant is refused when it is built, with what to do instead.
/// </summary>
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
        Refused(
            "ReplaceSchema(\"public\")", model => model.HasDefaultSchema("public").Entity<Thing>());

    [Fact]
    public void Sequences_are_the_tenants_own()
    {
        Refused("leave its schema out", model => model.HasSequence("numbers", "public"));
        Refused("leave its schema out", model =>
            model.Entity<Thing>().Property(t => t.Number).UseHiLo("ids", "public"));
        foreach (var elsewhere in new[]
        {
            "nextval('numbers')", "nextval('public.numbers')", "nextval('\"__Tenant__\".a') + nextval('b')",
            "nextval('__Tenant__.numbers')", "NEXTVAL ( 'numbers' :: regclass )", "nextval(U&'\"__Tenant__\".a')",
        })
        {
            Refused("nextval('\"__Tenant__\".numbers')",
                model => model.Entity<Thing>().Property(t => t.Number).HasDefaultValueSql(elsewhere));
        }
    }

    [Fact]
    public void Types_of_the_database_are_known_in_one_schema_only()
    {
        Refused("text with a check constraint", model => model.HasPostgresEnum("mood", ["good", "bad"]));
        Refused("two columns", model => model.HasPostgresRange("span", "int4"));
        Refused("shared model's migrations", model => model.HasPostgresExtension("citext"));
    }

    [Theory]
    [InlineData("citext")]
    [InlineData("citext[]")]
    [InlineData("\"char\"")]
    [InlineData("regclass")]
    [InlineData("public.mood")]
    public void A_type_that_has_to_be_loaded_is_refused_until_types_are(string type)
    {
        Action<ModelBuilder> build = type.EndsWith("[]", StringComparison.Ordinal)
            ? model => model.Entity<Thing>().Property(t => t.Tags).HasColumnType(type)
            : model => model.Entity<Thing>().Property(t => t.Name).HasColumnType(type);

        var message = Refused("TenancyOptions.LoadTypes = true", build);
        Assert.Contains(
            $"Thing.{(type.EndsWith("[]", StringComparison.Ordinal) ? "Tags" : "Name")} is of the type '{type}'",
            message, StringComparison.Ordinal);
        Refused("TenancyOptions.LoadTypes = true", build, new() { LoadTypes = false });
        using var loading = Model(build, new() { LoadTypes = true });
        Assert.Single(loading.Model.GetEntityTypes());
    }

    [Fact]
    public void It_is_found_in_shared_tables_and_complex_properties_and_by_its_CLR_type()
    {
        Refused("LoadTypes", model =>
        {
            model.Entity<Thing>();
            model.Entity<Kind>().ToTable("kinds", "public", table => table.ExcludeFromMigrations())
                .Property<string>("name").HasColumnType("citext");
        });
        Refused("Place.City is of the type 'citext'",
            model => model.Entity<Thing>()
                .ComplexProperty(t => t.Place, place => place.Property(p => p.City).HasColumnType("citext")));
        Refused("'hstore'", model => model.Entity<Thing>().Property<Dictionary<string, string>>("facts"));
        Refused("'ltree'", model => model.Entity<Thing>().Property<LTree>("path"));
    }

    [Fact]
    public void PostgreSQLs_own_types_are_known_by_any_of_their_names_and_a_documents_inside_is_none()
    {
        using var context = Model(model => model.Entity<Thing>(thing =>
        {
            thing.Property(t => t.Name).HasColumnType("varchar(30)");
            thing.Property(t => t.Tags).HasColumnType("character varying(30)[]");
            thing.Property(t => t.Number).HasColumnType("int4");
            thing.Property<decimal>("price").HasColumnType("numeric(18, 2)");
            thing.Property<DateTimeOffset>("at").HasColumnType("timestamp(3) with time zone");
            thing.Property<char>("letter");
            thing.Property<NpgsqlTypes.NpgsqlRange<DateOnly>[]>("seasons");
            thing.Property<uint>("version").IsRowVersion();
            thing.ComplexProperty(t => t.Place, place => place.ToJson().Property(p => p.City).HasColumnType("citext"));
        }));

        Assert.Single(context.Model.GetEntityTypes());
    }

    [Fact]
    public void One_applications_options_are_not_anothers()
    {
        var loading = new DbContextOptionsBuilder<CitextContext>().UseNpgsql().UseTenancy(new() { LoadTypes = true });
        var standard = new DbContextOptionsBuilder<CitextContext>().UseNpgsql().UseTenancy();
        using var allowed = new CitextContext(((DbContextOptionsBuilder<CitextContext>)loading).Options);
        using var refused = new CitextContext(((DbContextOptionsBuilder<CitextContext>)standard).Options);

        Assert.Single(allowed.Model.GetEntityTypes());
        Assert.Throws<InvalidOperationException>(() => refused.Model);
    }

    [Fact]
    public void The_placeholder_in_a_literal_is_data()
    {
        Refused("as an identifier",
            model => model.Entity<Thing>().ToTable(t => t.HasCheckConstraint("ck", "name <> '__Tenant__'")));
        Refused("as an identifier",
            model => model.Entity<Thing>().Property(t => t.Name).HasDefaultValueSql("'__Tenant__'"));
        Refused("as an identifier",
            model => model.Entity<Thing>().Property(t => t.Name).HasComputedColumnSql("'__Tenant__'", stored: true));
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

    private static string Refused(string advice, Action<ModelBuilder> build, TenancyOptions? tenancy = null)
    {
        using var context = Model(build, tenancy);
        var refusal = Assert.Throws<InvalidOperationException>(() => context.Model);

        Assert.StartsWith("This model can't be a tenant's: ", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(advice, refusal.Message, StringComparison.Ordinal);
        return refusal.Message;
    }

    private static ProbeContext Model(Action<ModelBuilder> build, TenancyOptions? tenancy = null)
    {
        var options = new DbContextOptionsBuilder<ProbeContext>();
        // Not cached: every probe has a model of its own.
        options.UseNpgsql().UseTenancy(tenancy).EnableServiceProviderCaching(false);
        return new(options.Options, build);
    }

    internal sealed class Thing
    {
        public Guid Id { get; init; }

        public int Number { get; init; }

        public string Name { get; init; } = "";

        public Guid KindId { get; init; }

        public string[] Tags { get; init; } = [];

        [NotMapped]
        public Place Place { get; init; } = new("");
    }

    internal sealed record Place(string City);

    internal sealed class Kind
    {
        public Guid Id { get; init; }
    }

    internal sealed class CitextContext(DbContextOptions<CitextContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder) =>
            modelBuilder.HasDefaultSchema(TenantPlaceholder.Schema).Entity<Kind>().Property<string>("name")
                .HasColumnType("citext");
    }

    internal sealed class ProbeContext(
        DbContextOptions<ProbeContext> options, Action<ModelBuilder> build) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.HasDefaultSchema(TenantPlaceholder.Schema);
            build(modelBuilder);
        }
    }
}

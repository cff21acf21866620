using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Tenancy;
using Tenancy.Citus;
using Tenancy.Migrations;
using Xunit;

namespace Tests.Unit.Citus;

public sealed class CitusCheckTests
{
    public static TheoryData<string, string> Refused => [.. CitusStatements.Refused];

    public static TheoryData<string> Taken => [.. CitusStatements.Taken];

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_Citus_refuses_is_found_with_its_reason(string sql, string why)
    {
        var problem = Assert.Single(ReasonsOf(sql));

        Assert.StartsWith("Migration 2: ", problem, StringComparison.Ordinal);
        Assert.Contains(why, problem, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Taken))]
    public void What_Citus_takes_is_not_found(string sql) => Assert.Empty(After(sql));

    [Fact]
    public void A_problem_names_the_migration_the_reason_the_way_out_and_the_statement() =>
        Assert.Equal(
            "Migration 2: Citus refuses to add a constraint beside other subcommands of one ALTER TABLE. Write an ALTER " +
            "TABLE of its own for it. In: alter table \"__Tenant__\".x add c int, add check (v > 0)",
            Assert.Single(After("""ALTER TABLE "__Tenant__".x ADD c int, /* and */ ADD CHECK (v > 0)""")));

    [Fact]
    public void Triggers_pass_where_the_unsafe_setting_is_on() =>
        Assert.Empty(CitusCheck.Problems(
            [("1", CitusStatements.Tables), ("2", CitusStatements.Refused.First().Sql)], unsafeTriggers: true));

    [Theory]
    [InlineData("""DO $$ BEGIN CREATE TABLE "__Tenant__".i (id int PRIMARY KEY); END $$""")]
    [InlineData("""do language plpgsql 'begin if true then create unlogged table if not exists "__Tenant__"."i" (); end if; end'""")]
    [InlineData("""DO $$ BEGIN EXECUTE 'CREATE TABLE "__Tenant__".i (id int PRIMARY KEY)'; END $$""")]
    [InlineData("""DO $$ BEGIN EXECUTE format('CREATE TABLE "__Tenant__".%I (id int PRIMARY KEY)', 'i'); END $$""")]
    [InlineData("""CREATE FUNCTION "__Tenant__".f() RETURNS void LANGUAGE sql AS 'CREATE TABLE "__Tenant__".i (id int)'""")]
    public void A_table_that_a_body_makes_is_found(string sql) =>
        Assert.Contains("stays on the coordinator", Assert.Single(ReasonsOf(sql)), StringComparison.Ordinal);

    [Fact]
    public void What_a_block_alters_is_found_as_well() =>
        Assert.Contains("identity", Assert.Single(After(
            """DO $$ BEGIN ALTER TABLE "__Tenant__".x ADD c int GENERATED ALWAYS AS IDENTITY; END $$""")),
            StringComparison.Ordinal);

    [Theory]
    [InlineData("""CREATE TABLE "__Tenant__".i (id int)""", false)]
    [InlineData("""CREATE TABLE "__Tenant__".i (id int UNIQUE NOT NULL)""", false)]
    [InlineData("""CREATE TABLE "__Tenant__".i AS SELECT 1 AS id""", false)]
    [InlineData("""SELECT id INTO "__Tenant__".i FROM "__Tenant__".x""", false)]
    [InlineData("""CREATE TABLE "__Tenant__".i (LIKE "__Tenant__".k)""", false)]
    [InlineData("""CREATE TABLE "__Tenant__".i (LIKE "__Tenant__".k INCLUDING INDEXES)""", true)]
    [InlineData("""CREATE TABLE "__Tenant__".i (id int CONSTRAINT pk PRIMARY KEY)""", true)]
    [InlineData("""CREATE TABLE "__Tenant__".i (id int, "Primary" text, primary key (id))""", true)]
    [InlineData("""CREATE TABLE "__Tenant__".i (id int); ALTER TABLE "__Tenant__"."i" ADD CONSTRAINT pk PRIMARY KEY (id)""", true)]
    [InlineData("""CREATE TABLE "__Tenant__".i (id int); ALTER TABLE "__Tenant__".i REPLICA IDENTITY FULL""", true)]
    [InlineData("""CREATE TABLE "__Tenant__".i (id int); DROP TABLE IF EXISTS "__Tenant__".p, "__Tenant__".i CASCADE""", true)]
    [InlineData("""CREATE TABLE "__Tenant__".i (id int); ALTER TABLE "__Tenant__".i RENAME TO j; ALTER TABLE "__Tenant__".j ADD PRIMARY KEY (id)""", true)]
    [InlineData("""ALTER TABLE "__Tenant__".k DROP CONSTRAINT k_pkey""", false)]
    [InlineData("""CREATE TABLE "__Tenant__".i (id int CONSTRAINT "Pk" PRIMARY KEY); ALTER TABLE "__Tenant__".i DROP CONSTRAINT "Pk" """, false)]
    [InlineData("""ALTER TABLE "__Tenant__".k RENAME CONSTRAINT k_pkey TO pk; ALTER TABLE "__Tenant__".k DROP CONSTRAINT k_pkey""", true)]
    [InlineData("""ALTER TABLE "__Tenant__".x DROP CONSTRAINT IF EXISTS pk_x CASCADE""", false)]
    [InlineData("""ALTER TABLE "__Tenant__".x RENAME COLUMN id TO key; ALTER TABLE "__Tenant__".x DROP COLUMN key""", false)]
    [InlineData("""ALTER TABLE "__Tenant__".x DROP CONSTRAINT pk_x; ALTER TABLE "__Tenant__".x ADD CONSTRAINT pk_x PRIMARY KEY (id, n)""", true)]
    [InlineData("""CREATE TABLE "__Tenant__".i (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE "__Tenant__".j PARTITION OF "__Tenant__".i DEFAULT""", true)]
    public void A_table_that_ends_up_without_a_key_is_found(string sql, bool hasKey) =>
        Assert.Equal(hasKey, !After(sql).Any(problem => problem.Contains("no primary key", StringComparison.Ordinal)));

    [Fact]
    public void The_samples_migrations_pass() =>
        Assert.Empty(MigrationCompiler.Find(typeof(global::Data.Invoicing.InvoicingContext),
            () => new global::Data.InvoicingContextFactory().CreateDbContext([])).CitusProblems());

    [Fact]
    public void All_problems_of_all_migrations_are_found_at_once_and_no_command_of_the_librarys_own()
    {
        var problems = MigrationCompiler.Find(typeof(OddContext), Odd).CitusProblems();

        Assert.Collection(problems,
            first => Assert.Contains("Migration 20260101000000_First: Citus refuses to give a table", first),
            second => Assert.Contains("Migration 20260201000000_Second: Citus refuses to give a table", second),
            key => Assert.Contains("Migration 20260101000000_First: This table has no primary key", key));
    }

    private static IReadOnlyList<string> After(string sql) =>
        CitusCheck.Problems([("1", CitusStatements.Tables), ("2", sql)], unsafeTriggers: false);

    /// <summary>A statement's own reasons. A table that it makes for one needn't have a key.</summary>
    private static List<string> ReasonsOf(string sql) =>
        [.. After(sql).Where(problem => !problem.Contains("no primary key", StringComparison.Ordinal))];

    private static OddContext Odd()
    {
        var options = new DbContextOptionsBuilder<OddContext>();
        options.UseNpgsql("Host=nowhere").UseTenancy();
        return new(options.Options);
    }

    internal sealed class OddContext(DbContextOptions<OddContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder) =>
            modelBuilder.HasDefaultSchema(TenantPlaceholder.Schema);
    }

    [DbContext(typeof(OddContext))]
    [Migration("20260101000000_First")]
    internal sealed class First : Migration
    {
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                "notes", table => new { text = table.Column<string>("text") }, TenantPlaceholder.Schema);
            migrationBuilder.AlterColumn<long>("id", schema: TenantPlaceholder.Schema, table: "others", type: "bigint")
                .Annotation("Npgsql:ValueGenerationStrategy",
                    Npgsql.EntityFrameworkCore.PostgreSQL.Metadata.NpgsqlValueGenerationStrategy.IdentityAlwaysColumn);
        }
    }

    [DbContext(typeof(OddContext))]
    [Migration("20260201000000_Second")]
    internal sealed class Second : Migration
    {
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.GrantTenantSchema("somebody");
            migrationBuilder.Sql("ALTER TABLE \"__Tenant__\".notes ADD n int GENERATED ALWAYS AS IDENTITY");
        }
    }
}

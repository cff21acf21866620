using System.Globalization;
using Tenancy;
using Tenancy.Sql;
using Xunit;
using static Tests.Unit.Analyzers.AnalyzedCode;

namespace Tests.Unit.Analyzers;

/// <summary>TEN001.</summary>
public sealed class RefusedSqlTests
{
    /// <summary>The compiler's message is the one that the guard gives when the command runs.</summary>
    [Theory]
    [InlineData("SELECT * FROM orders")]
    [InlineData("SELECT * FROM customer_acme.orders")]
    [InlineData("SELECT * FROM __Tenant__.orders")]
    [InlineData("UPDATE public.currencies SET id = 1")]
    [InlineData("SET search_path = customer_acme")]
    [InlineData("SELECT pg_terminate_backend(1)")]
    [InlineData("SELECT * FROM pg_stat_activity")]
    [InlineData("SELECT set_config('a.b', '1', false)")]
    [InlineData("DROP DATABASE tenants")]
    [InlineData("DO $$ BEGIN EXECUTE 'SELECT 1'; END $$")]
    [InlineData("SELECT * FROM")]
    [InlineData("LISTEN news")]
    public async Task The_compiler_says_what_the_guard_says(string sql)
    {
        var refused = Assert.Throws<CommandRefusedException>(() =>
            SqlTemplate.Of(sql).Guard(new AllowList(["public.currencies"], [], [])));

        var warning = Assert.Single(await WarningsAsync(Shop +
            $$"""
            public class Code
            {
                public void Run(ShopContext db) => db.Database.ExecuteSqlRaw("{{sql}}");
            }
            """));

        Assert.Equal(refused.Message, warning.GetMessage(CultureInfo.InvariantCulture));
    }

    [Fact]
    public Task Every_way_to_send_sql_is_looked_at() => CheckAsync(Shop +
        """
        public class Code(ShopContext db)
        {
            public async Task Run(int id, CancellationToken ct)
            {
                db.Database.ExecuteSqlRaw({|TEN001:"DELETE FROM orders"|});
                await db.Database.ExecuteSqlRawAsync({|TEN001:"DELETE FROM orders WHERE id = {0}"|}, [id], ct);
                db.Database.ExecuteSql({|TEN001:$"DELETE FROM orders WHERE id = {id}"|});
                await db.Database.ExecuteSqlAsync({|TEN001:$"DELETE FROM orders"|}, ct);
                await db.Database.ExecuteSqlInterpolatedAsync({|TEN001:$"DELETE FROM orders"|}, ct);
                _ = db.Database.SqlQuery<int>({|TEN001:$"SELECT id FROM orders"|});
                _ = db.Database.SqlQueryRaw<int>({|TEN001:"SELECT id " + "FROM orders"|});
                _ = db.Orders.FromSqlRaw({|TEN001:"SELECT * FROM orders WHERE id = {0}"|}, id);
                _ = db.Orders.FromSql({|TEN001:$"SELECT * FROM orders"|});
                _ = db.Set<Order>().FromSqlInterpolated({|TEN001:$"SELECT * FROM orders"|});
                _ = db.CreateTenantCommand({|TEN001:"SELECT * FROM orders"|});
                var sql = "DELETE FROM orders";
                db.Database.ExecuteSqlRaw({|TEN001:sql|});
                db.Database.ExecuteSqlRaw({|TEN001:s_sql|});
            }

            private static readonly string s_sql = "DELETE FROM orders";
        }
        """);

    [Fact]
    public Task What_the_guard_lets_pass_is_no_warning() => CheckAsync(Shop +
        """
        public class Code(ShopContext db)
        {
            private const string Table = $"\"{TenantPlaceholder.Schema}\".orders";

            public async Task Run(int id, string unknown, CancellationToken ct)
            {
                await db.Database.ExecuteSqlAsync($"DELETE FROM \"__Tenant__\".orders WHERE id = {id}", ct);
                _ = db.Orders.FromSqlRaw($"SELECT * FROM {Table} o JOIN public.currencies c ON c.id = o.id");
                _ = db.Orders.FromSqlRaw("SELECT * FROM \"__Tenant__\".orders WHERE id = {0} AND note <> '{}'", id);
                _ = db.Database.SqlQueryRaw<int>("SELECT count(*)::int AS \"Value\" FROM \"__Tenant__\".orders");
                var changed = "DELETE FROM orders";
                changed = unknown;
                db.Database.ExecuteSqlRaw(changed);
                // Not constant: the guard sees it when it runs.
                _ = db.Orders.FromSqlRaw(unknown);
                _ = db.Orders.FromSqlRaw($"SELECT * FROM {unknown}");
            }
        }
        """);

    [Fact]
    public Task A_context_of_no_tenants_may_do_anything() => CheckAsync(Shop +
        """
        public class RegistryContext(DbContextOptions<RegistryContext> options) : DbContext(options);

        public class Code(RegistryContext db, DbContext any)
        {
            public void Run()
            {
                db.Database.ExecuteSqlRaw("DELETE FROM tenants");
                any.Database.ExecuteSqlRaw("DELETE FROM tenants");
            }
        }
        """);

    [Theory]
    [InlineData("tenancy.AddContext<PlainContext>()")]
    [InlineData("tenancy.SeedNew<PlainContext>((_, _) => Task.CompletedTask)")]
    public Task A_context_is_a_tenants_where_it_is_added(string registration) => CheckAsync(
        $$"""
        public class PlainContext(DbContextOptions<PlainContext> options) : DbContext(options);

        public class Code
        {
            public void Register(TenancyBuilder tenancy) => {{registration}};

            public void Run(PlainContext db) => db.Database.ExecuteSqlRaw({|TEN001:"DELETE FROM orders"|});
        }
        """);

    [Fact]
    public Task What_tenants_share_is_read_from_the_options_and_from_the_settings() => CheckAsync(Shop +
        """
        public class Code(ShopContext db)
        {
            public void Register(TenancyBuilder tenancy) => tenancy.AddContext<ShopContext>().Configure(options =>
            {
                options.SharedTables.Add("shared.regions");
                options.SharedSchemas.Add("geo");
                options.SharedFunctions.Add("vat");
            });

            public void Run()
            {
                db.Database.ExecuteSqlRaw("SELECT vat(1), geo.far(2) FROM shared.regions, catalog.goods");
                db.Database.ExecuteSqlRaw({|TEN001:"SELECT 1 FROM shared.others"|});
                db.Database.ExecuteSqlRaw({|TEN001:"SELECT tax(1)"|});
            }
        }
        """, "tenancy.shared_tables = catalog.goods, catalog.prices");

    [Fact]
    public Task A_migrations_sql_is_looked_at() => CheckAsync(Shop +
        """
        [DbContext(typeof(ShopContext))]
        [Migration("20260101000000_First")]
        public class First : Migration
        {
            protected override void Up(MigrationBuilder migrationBuilder) =>
                migrationBuilder.Sql({|TEN001:"UPDATE orders SET id = 1"|});

            // A migration may have blocks.
            protected override void Down(MigrationBuilder migrationBuilder) =>
                migrationBuilder.Sql("DO $body$ BEGIN UPDATE \"__Tenant__\".orders SET id = 1; END $body$");
        }

        public class Registry(DbContextOptions<Registry> options) : DbContext(options);

        [DbContext(typeof(Registry))]
        [Migration("20260101000000_Other")]
        public class Other : Migration
        {
            protected override void Up(MigrationBuilder migrationBuilder) =>
                migrationBuilder.Sql("UPDATE tenants SET id = 1");
        }
        """);

    [Fact]
    public Task Old_migrations_may_name_the_schema_that_is_replaced() => CheckAsync(
        """
        public class OrderingContext(DbContextOptions<OrderingContext> options) : DbContext(options)
        {
            protected override void OnModelCreating(ModelBuilder model) => model.HasDefaultSchema("ordering");
        }

        public class Code
        {
            public void Register(TenancyBuilder tenancy) =>
                tenancy.AddContext<OrderingContext>(context => context.ReplaceSchema("ordering"));
        }

        [DbContext(typeof(OrderingContext))]
        [Migration("20260101000000_First")]
        public class First : Migration
        {
            protected override void Up(MigrationBuilder migrationBuilder)
            {
                migrationBuilder.Sql("UPDATE ordering.orders SET id = 1");
                migrationBuilder.Sql({|TEN001:"UPDATE billing.orders SET id = 1"|});
            }
        }
        """);
}

using Xunit;
using static Tests.Unit.Analyzers.AnalyzedCode;

namespace Tests.Unit.Analyzers;

/// <summary>TEN004.</summary>
public sealed class RawCommandTests
{
    [Fact]
    public Task A_command_beside_a_tenant_context_is_the_contexts() => CheckAsync(Shop +
        """
        public class Totals(ShopContext db, NpgsqlDataSource source)
        {
            public void Run(NpgsqlConnection connection, string unknown)
            {
                using var first = {|TEN004:source.CreateCommand("SELECT * FROM orders")|};
                using var second = {|TEN004:new NpgsqlCommand("SELECT * FROM \"__Tenant__\".orders", connection)|};
                using var third = {|TEN004:db.Database.GetDbConnection().CreateCommand()|};
                using var later = {|TEN004:db.Database.GetDbConnection().CreateCommand()|};
                later.CommandText = "SELECT * FROM orders";
                using var copy = {|TEN004:connection.BeginBinaryImport("COPY orders FROM STDIN (FORMAT binary)")|};
                using var fourth = {|TEN004:source.CreateCommand(unknown)|};
            }
        }

        public static class Endpoints
        {
            public static void Map(WebApplication app) => app.MapGet("/", (ShopContext db, NpgsqlDataSource source) =>
                {|TEN004:source.CreateCommand("SELECT * FROM orders")|}.ExecuteNonQuery());
        }
        """);

    [Fact]
    public Task What_isnt_a_tenants_or_names_its_schema_is_no_warning() => CheckAsync(Shop +
        """
        public class Registry(NpgsqlDataSource source)
        {
            public NpgsqlCommand Tenants() => source.CreateCommand("SELECT slug FROM tenancy.tenants");
        }

        public class Totals(ShopContext db, NpgsqlDataSource source)
        {
            public void Run(Tenant tenant)
            {
                using var alive = source.CreateCommand("SELECT 1");
                using var own = source.CreateCommand($"SELECT * FROM {tenant.Schema.Qualify("orders")}");
                using var later = db.Database.GetDbConnection().CreateCommand();
                later.CommandText = $"SELECT * FROM {tenant.Schema.Qualify("orders")}";
                var qualified = $"COPY {tenant.Schema.Qualify("orders")} FROM STDIN (FORMAT binary)";
                using var copy = ((NpgsqlConnection)db.Database.GetDbConnection()).BeginBinaryImport(qualified);
                using var guarded = db.CreateTenantCommand("SELECT * FROM \"__Tenant__\".orders");
            }
        }
        """);
}

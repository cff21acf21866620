using Xunit;
using static Tests.Unit.Analyzers.AnalyzedCode;

namespace Tests.Unit.Analyzers;

/// <summary>TEN002.</summary>
public sealed class KeptContextTests
{
    [Fact]
    public Task A_singleton_takes_no_tenant_context() => CheckAsync(Shop +
        """
        public class Outbox(ShopContext {|TEN002:db|}) : BackgroundService
        {
            protected override Task ExecuteAsync(CancellationToken ct) => db.SaveChangesAsync(ct);
        }

        public class Prices
        {
            public Prices(CurrentTenant {|TEN002:current|}) => Console.WriteLine(current);
        }

        public class Audit(Microsoft.AspNetCore.Http.RequestDelegate next, ShopContext {|TEN002:db|})
        {
            public Task InvokeAsync(Microsoft.AspNetCore.Http.HttpContext context) => db is null ? next(context) : next(context);
        }

        public static class Registration
        {
            public static void Add(IServiceCollection services)
            {
                services.AddSingleton<Prices>();
                services.AddSingleton<IStock, Stock>();
                services.AddSingleton(typeof(Vat));
                services.AddSingleton(provider => new Made({|TEN002:provider.GetRequiredService<ShopContext>()|}));
            }
        }

        public interface IStock;

        public class Stock(ShopContext {|TEN002:db|}) : IStock
        {
            public override string ToString() => $"{db}";
        }

        public class Vat(ShopContext {|TEN002:db|})
        {
            public override string ToString() => $"{db}";
        }

        public class Made(object any)
        {
            public override string ToString() => $"{any}";
        }
        """);

    [Fact]
    public Task A_static_keeps_no_tenant_context() => CheckAsync(Shop +
        """
        public static class Kept
        {
            private static ShopContext? {|TEN002:s_db|};

            public static ShopContext? {|TEN002:Db|} { get; set; }

            // It keeps nothing.
            public static ShopContext Same(ShopContext db) => db;

            public static void Use() => Console.WriteLine(s_db);
        }
        """);

    [Fact]
    public Task A_context_isnt_used_after_its_scope() => CheckAsync(Shop +
        """
        public class Code(IServiceScopeFactory scopes, Tenants tenants)
        {
            private ShopContext? _db;

            public ShopContext Returned()
            {
                using var scope = scopes.CreateScope();
                var db = scope.ServiceProvider.GetRequiredService<ShopContext>();
                return {|TEN002:db|};
            }

            public ShopContext AtOnce()
            {
                using var scope = scopes.CreateScope();
                return {|TEN002:scope.ServiceProvider.GetRequiredService<ShopContext>()|};
            }

            public IQueryable<Order> Query()
            {
                using var scope = scopes.CreateScope();
                var db = scope.ServiceProvider.GetRequiredService<ShopContext>();
                return {|TEN002:db.Orders.Where(order => order.Id > 1)|};
            }

            public Task<List<Order>> NotAwaited()
            {
                using var scope = scopes.CreateScope();
                var db = scope.ServiceProvider.GetRequiredService<ShopContext>();
                return {|TEN002:db.Orders.ToListAsync()|};
            }

            public async Task<List<Order>> Read()
            {
                using var scope = scopes.CreateScope();
                var db = scope.ServiceProvider.GetRequiredService<ShopContext>();
                return await db.Orders.ToListAsync();
            }

            public async Task Kept()
            {
                await using var scope = await tenants.ServeAsync("acme");
                {|TEN002:_db = scope.Services.GetRequiredService<ShopContext>()|};
            }

            public int Outside()
            {
                ShopContext db;
                using (var scope = scopes.CreateScope())
                {
                    {|TEN002:db = scope.ServiceProvider.GetRequiredService<ShopContext>()|};
                }

                return db.Orders.Count() + (_db is null ? 0 : 1);
            }
        }
        """);

    [Fact]
    public Task Work_that_nobody_awaits_takes_no_context_along() => CheckAsync(Shop +
        """
        public class Code(ShopContext db)
        {
            public void Left(ShopContext given)
            {
                _ = Task.Run(() => {|TEN002:given|}.SaveChangesAsync());
                Task.Run(async () => await {|TEN002:db|}.SaveChangesAsync());
                ThreadPool.QueueUserWorkItem(_ => {|TEN002:given|}.SaveChanges());
            }

            public async Task Awaited(ShopContext given, IServiceScopeFactory scopes)
            {
                await Task.Run(() => given.SaveChangesAsync());
                _ = Task.Run(async () =>
                {
                    using var scope = scopes.CreateScope();
                    var own = scope.ServiceProvider.GetRequiredService<ShopContext>();
                    await own.SaveChangesAsync();
                });
            }
        }
        """);

    [Fact]
    public Task What_lives_as_long_as_its_scope_may_keep_a_context() => CheckAsync(Shop +
        """
        public class Orders(ShopContext db, CurrentTenant current)
        {
            public async Task<int> Count() => await db.Orders.CountAsync() + (current is null ? 1 : 0);
        }

        public class Worker(Tenants tenants) : BackgroundService
        {
            protected override async Task ExecuteAsync(CancellationToken ct)
            {
                await using var scope = await tenants.ServeAsync("acme", ct);
                var db = scope.Services.GetRequiredService<ShopContext>();
                await db.SaveChangesAsync(ct);
            }
        }

        public class Middleware(Microsoft.AspNetCore.Http.RequestDelegate next)
        {
            public Task InvokeAsync(Microsoft.AspNetCore.Http.HttpContext context, ShopContext db) =>
                db is null ? next(context) : next(context);
        }

        public static class Registration
        {
            public static void Add(IServiceCollection services) => services.AddScoped<Orders>();
        }
        """);
}

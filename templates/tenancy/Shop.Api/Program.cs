using Microsoft.EntityFrameworkCore;
using Shop.Api;
using Tenancy;
using Tenancy.AspNetCore;

var builder = WebApplication.CreateBuilder(args);
builder.AddTenancy("shopdb", tenancy => tenancy
    .UseBuiltInRegistry()
    .AddContext<OrdersContext>()
    .Resolve(request => request.Header("X-Tenant")));

var app = builder.Build();
app.UseExceptionHandler();
app.UseTenants();
app.MapHealthChecks("/health");
app.MapTenants("/tenants");

var orders = app.MapGroup("/orders").RequireTenant();
orders.MapGet("/", (OrdersContext db, CancellationToken ct) =>
    db.Orders.OrderBy(order => order.PlacedAt).ToListAsync(ct));
orders.MapPost("/", async (NewOrder order, OrdersContext db, TimeProvider time, CancellationToken ct) =>
{
    var placed = new Order { Buyer = order.Buyer, PlacedAt = time.GetUtcNow() };
    db.Orders.Add(placed);
    await db.SaveChangesAsync(ct);
    return TypedResults.Created($"/orders/{placed.Id}", placed);
});

await app.RunAsync();

internal sealed record NewOrder(string Buyer);

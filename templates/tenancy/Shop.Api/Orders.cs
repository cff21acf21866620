using Microsoft.EntityFrameworkCore;

namespace Shop.Api;

/// <summary>What one tenant stores. The library puts the tenant's schema in front of each table.</summary>
public sealed class OrdersContext(DbContextOptions<OrdersContext> options) : DbContext(options)
{
    public DbSet<Order> Orders => Set<Order>();
}

public sealed class Order
{
    public Guid Id { get; init; } = Guid.CreateVersion7();

    public required string Buyer { get; init; }

    public DateTimeOffset PlacedAt { get; init; }
}

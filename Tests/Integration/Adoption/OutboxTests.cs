using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Tenancy;
using Tenancy.AspNetCore;
using Xunit;

namespace Tests.Integration.Adoption;

/// <summary>
/// A loop in the serving process that sends what each tenant's transactions have put into the tenant's outbox.
/// </summary>
public sealed class OutboxTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_hosted_loop_sends_each_tenants_messages_once_and_as_that_tenants()
    {
        await using var site = await StartAsync();
        foreach (var (slug, buyer) in new[] { ("acme", "Ada"), ("globex", "Grace"), ("acme", "Alan") })
        {
            await site.GetAsync($"/order/{buyer}", ("X-Shop", slug));
        }

        var sent = site.Application.Services.GetRequiredService<Sent>();
        await Eventually.HoldsAsync(() => sent.Messages.Count >= 3);

        // Two more rounds find nothing.
        var rounds = sent.Rounds;
        await Eventually.HoldsAsync(() => sent.Rounds >= rounds + 2);
        Assert.Equal(["acme: Ada", "acme: Alan", "globex: Grace"], sent.Messages.Order());
    }

    [Fact]
    public async Task A_tenant_that_isnt_served_keeps_no_other_from_its_turn_and_sends_later()
    {
        await using var site = await StartAsync();
        var sent = site.Application.Services.GetRequiredService<Sent>();
        await site.Tenants.SetStatusAsync("acme", TenantStatus.Suspended, Ct);
        await site.Tenants.CreateAsync("initech", Ct);
        await site.GetAsync("/order/Ada", ("X-Shop", "globex"));
        await site.GetAsync("/order/Bob", ("X-Shop", "initech"));
        await Eventually.HoldsAsync(() => sent.Messages.Count >= 2);

        await site.Tenants.SetStatusAsync("acme", TenantStatus.Active, Ct);
        await site.GetAsync("/order/Alan", ("X-Shop", "acme"));
        await Eventually.HoldsAsync(() => sent.Messages.Count >= 3);

        Assert.Equal(["acme: Alan", "globex: Ada", "initech: Bob"], sent.Messages.Order());
    }

    private Task<ShopSite> StartAsync() => ShopSite.StartAsync(app,
        tenancy => tenancy.AddContext<OrderingContext>(ordering => ordering.ReplaceSchema(OrderingContext.Schema))
            .AddContext<TicketsContext>().Resolve(request => request.Header("X-Shop")),
        site => site.MapGet("/order/{buyer}", async (string buyer, TicketsContext db, CancellationToken ct) =>
        {
            db.Tickets.Add(new() { Title = buyer });
            await db.SaveChangesAsync(ct);
        }).RequireTenant(),
        builder => builder.Services.AddScoped<ActingUser>().AddSingleton<Sent>().AddHostedService<OutboxLoop>());

    private sealed class Sent
    {
        public ConcurrentQueue<string> Messages { get; } = [];

        public int Rounds;
    }

    private sealed class OutboxLoop(Tenants tenants, Sent sent) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                await tenants.ForEachAsync(async (scope, ct) =>
                {
                    var db = scope.Services.GetRequiredService<TicketsContext>();
                    await using var transaction = await db.Database.BeginTransactionAsync(ct);
                    // Several replicas may run the loop.
                    var messages = await db.Tickets.FromSql(
                        $"""SELECT * FROM "__Tenant__".tickets FOR UPDATE SKIP LOCKED LIMIT 10""").ToListAsync(ct);
                    foreach (var message in messages)
                    {
                        sent.Messages.Enqueue($"{scope.Tenant.Slug}: {message.Title}");
                        db.Remove(message);
                    }

                    await db.SaveChangesAsync(ct);
                    await transaction.CommitAsync(ct);
                }, new() { Parallel = 2 }, stoppingToken);
                Interlocked.Increment(ref sent.Rounds);
                await Task.Delay(20, stoppingToken);
            }
        }
    }
}

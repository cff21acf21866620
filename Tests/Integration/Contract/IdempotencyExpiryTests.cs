using System.Net;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace Tests.Integration.Contract;

/// <summary>A key is kept for a day, by the database's clock.</summary>
public sealed class IdempotencyExpiryTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_key_is_free_again_after_a_day()
    {
        var acme = await app.NewCustomerAsync();
        (await acme.SendAsync("/invoices", IdempotencyTests.Invoice(1m), "one")).Dispose();
        await AgeAsync(acme, "23 hours 59 minutes");
        using var replayed = await acme.SendAsync("/invoices", IdempotencyTests.Invoice(1m), "one");
        await AgeAsync(acme, "24 hours");
        using var written = await acme.SendAsync("/invoices", IdempotencyTests.Invoice(2m), "one");

        Assert.Equal((true, false),
            (IdempotencyTests.IsReplayed(replayed), IdempotencyTests.IsReplayed(written)));
        Assert.Equal(HttpStatusCode.Created, written.StatusCode);
        Assert.Equal(2, (await acme.InvoicesAsync()).Count);
    }

    [Fact]
    public async Task Old_keys_are_deleted_by_later_requests_some_at_a_time()
    {
        var acme = await app.NewCustomerAsync();
        (await acme.SendAsync("/invoices", IdempotencyTests.Invoice(1m), "mine")).Dispose();
        var keys = acme.Tenant.Schema.Qualify("idempotency_keys");
        await AgeAsync(acme, "25 hours");
        await ExecuteAsync($"INSERT INTO {keys} (key, operation, body_hash, created_at) SELECT 'old ' || n, '', '', " +
            "now() - interval '26 hours' FROM generate_series(1, 150) AS n");
        await using var db = app.Invoicing.Create(acme.Tenant);
        // Its own key is old as well, and not among the oldest hundred.
        using var written = await acme.SendAsync("/invoices", IdempotencyTests.Invoice(2m), "mine");
        Assert.Equal((HttpStatusCode.Created, 51), (written.StatusCode, await db.IdempotencyKeys.CountAsync(Ct)));
        using var another = await acme.SendAsync("/invoices", IdempotencyTests.Invoice(2m), "another");
        Assert.Equal(["another", "mine"], await db.IdempotencyKeys.Select(k => k.Key).Order().ToListAsync(Ct));
    }

    private Task AgeAsync(TestCustomer customer, string age) => ExecuteAsync(
        $"UPDATE {customer.Tenant.Schema.Qualify("idempotency_keys")} SET created_at = now() - interval '{age}'");

    private async Task ExecuteAsync(string sql)
    {
        await using var command = app.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Ct);
    }
}

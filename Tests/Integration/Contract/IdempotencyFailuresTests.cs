using System.Net;
using System.Net.Http.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace Tests.Integration.Contract;

/// <summary>What becomes of a key whose request hasn't ended, or ended without an answer.</summary>
public sealed class IdempotencyFailuresTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_whose_first_one_is_being_answered_is_told_to_wait()
    {
        var acme = await app.NewCustomerAsync();
        Task<HttpResponseMessage> first;
        await using (var connection = await LockInvoicesAsync(acme))
        {
            first = acme.SendAsync("/invoices", IdempotencyTests.Invoice(1m), "one");
            await WaitingAsync(acme, first);

            foreach (var amount in new[] { 1m, 2m })
            {
                using var second = await acme.SendAsync("/invoices", IdempotencyTests.Invoice(amount), "one");
                Assert.Equal(HttpStatusCode.Conflict, second.StatusCode);
                Assert.Equal(TimeSpan.FromSeconds(1), second.Headers.RetryAfter?.Delta);
            }
        }

        Assert.Equal(HttpStatusCode.Created, (await first).StatusCode);
        using var third = await acme.SendAsync("/invoices", IdempotencyTests.Invoice(1m), "one");
        Assert.True(IdempotencyTests.IsReplayed(third));
        Assert.Single(await acme.InvoicesAsync());
    }

    [Fact]
    public async Task A_request_whose_session_dies_writes_nothing_and_can_be_sent_again()
    {
        var acme = await app.NewCustomerAsync();
        Task<HttpResponseMessage> first;
        await using (var connection = await LockInvoicesAsync(acme))
        {
            first = acme.SendAsync("/invoices", IdempotencyTests.Invoice(1m), "one");
            await WaitingAsync(acme, first);
            await ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity " +
                $"WHERE wait_event_type = 'Lock' AND position('{acme.Tenant.Schema.Value}' in query) > 0");
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await first).StatusCode);
        }

        Assert.Empty(await acme.InvoicesAsync());
        // Another body, too: nothing is left of the first one.
        using var again = await acme.SendAsync("/invoices", IdempotencyTests.Invoice(2m), "one");
        Assert.Equal((HttpStatusCode.Created, false), (again.StatusCode, IdempotencyTests.IsReplayed(again)));
    }

    [Fact]
    public async Task A_request_that_its_sender_gives_up_leaves_its_key()
    {
        var acme = await app.NewCustomerAsync();
        using var gaveUp = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        await using (var connection = await LockInvoicesAsync(acme))
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/invoices")
            {
                Content = IdempotencyTests.Invoice(1m), Headers = { { "Idempotency-Key", "one" } },
            };
            var first = acme.Http.SendAsync(request, gaveUp.Token);
            await WaitingAsync(acme, first);
            await gaveUp.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
            await using var db = app.Invoicing.Create(acme.Tenant);
            await Eventually.HoldsAsync(async () => !await db.IdempotencyKeys.AnyAsync(Ct));
        }

        Assert.Empty(await acme.InvoicesAsync());
    }

    [Fact]
    public async Task A_handler_that_fails_writes_nothing_and_leaves_its_key()
    {
        var acme = await app.NewCustomerAsync();
        var lines = acme.Tenant.Schema.Qualify("invoice_lines");
        await ExecuteAsync($"ALTER TABLE {lines} ADD CONSTRAINT ck_test CHECK (unit_price <> 1)");

        using var failed = await acme.SendAsync("/invoices", IdempotencyTests.Invoice(1m), "one");
        Assert.Equal(HttpStatusCode.InternalServerError, failed.StatusCode);
        Assert.Empty(await acme.InvoicesAsync());
        using var again = await acme.SendAsync("/invoices", IdempotencyTests.Invoice(2m), "one");
        Assert.Equal((HttpStatusCode.Created, false), (again.StatusCode, IdempotencyTests.IsReplayed(again)));
    }

    [Fact]
    public async Task Without_a_stored_response_nothing_is_written()
    {
        var acme = await app.NewCustomerAsync();
        var keys = acme.Tenant.Schema.Qualify("idempotency_keys");
        // The write succeeds, and then its response can't be stored.
        await ExecuteAsync($"ALTER TABLE {keys} ADD CONSTRAINT ck_test CHECK (status IS NULL)");
        foreach (var (path, body) in new (string, HttpContent)[]
        {
            ("/invoices", IdempotencyTests.Invoice(1m)),
            ("/contacts", JsonContent.Create(new { name = "Ada" })),
            ("/invoices/import", new StringContent(Invoicing.CsvFiles.Of(Invoicing.CsvFiles.Row()),
                System.Text.Encoding.UTF8, "text/csv")),
        })
        {
            using var failed = await acme.SendAsync(path, body, "one");
            Assert.Equal((path, HttpStatusCode.InternalServerError), (path, failed.StatusCode));
        }

        await using var db = app.Invoicing.Create(acme.Tenant);
        Assert.Equal((0, 0, 0), (await db.Invoices.CountAsync(Ct), await db.Contacts.CountAsync(Ct),
            await db.IdempotencyKeys.CountAsync(Ct)));
    }

    [Fact]
    public async Task A_key_whose_process_died_is_used_by_the_same_request()
    {
        var acme = await app.NewCustomerAsync();
        (await acme.SendAsync("/invoices", IdempotencyTests.Invoice(1m), "one")).Dispose();
        await ExecuteAsync($"UPDATE {acme.Tenant.Schema.Qualify("idempotency_keys")} SET status = NULL, " +
            "headers = NULL, body = NULL");

        using var other = await acme.SendAsync("/invoices", IdempotencyTests.Invoice(2m), "one");
        using var same = await acme.SendAsync("/invoices", IdempotencyTests.Invoice(1m), "one");

        Assert.Equal(HttpStatusCode.UnprocessableEntity, other.StatusCode);
        Assert.Equal((HttpStatusCode.Created, false), (same.StatusCode, IdempotencyTests.IsReplayed(same)));
    }

    /// <summary>Nobody writes an invoice until the connection is disposed of.</summary>
    private async Task<NpgsqlConnection> LockInvoicesAsync(TestCustomer customer)
    {
        var connection = await app.Services.GetRequiredService<NpgsqlDataSource>().OpenConnectionAsync(Ct);
        await using var begin = new NpgsqlCommand(
            $"BEGIN; LOCK TABLE {customer.Tenant.Schema.Qualify("invoices")} IN EXCLUSIVE MODE", connection);
        await begin.ExecuteNonQueryAsync(Ct);
        return connection;
    }

    private async Task WaitingAsync(TestCustomer customer, Task request)
    {
        await using var command = app.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' " +
            "AND position($1 in query) > 0)");
        command.Parameters.Add(new() { Value = customer.Tenant.Schema.Value });
        while (!(bool)(await command.ExecuteScalarAsync(Ct))!)
        {
            Assert.False(request.IsCompleted);
        }
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = app.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Ct);
    }
}

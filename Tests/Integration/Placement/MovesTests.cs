using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Data;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Tests.Integration.Citus;
using Xunit;

namespace Tests.Integration.Placement;

/// <summary>A customer moves to another database.</summary>
public sealed class MovesTests(App app) : IAsyncLifetime
{
    private TwoDatabases _two = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private TenantDatabaseMove Move => _two.Api.Services.GetRequiredService<TenantDatabaseMove>();

    public async ValueTask InitializeAsync()
    {
        _two = await TwoDatabases.StartAsync(app);
        await _two.CreateAsync("acme");
        await _two.WriteAsync("acme", 7m);
    }

    public ValueTask DisposeAsync() => _two.DisposeAsync();

    [Fact]
    public async Task A_customer_moves_there_and_back_by_one_command_and_keeps_its_id_key_ring_and_status()
    {
        var before = await CustomerAsync("acme");
        using var key = await _two.Http.PostAsJsonAsync("/api-keys", new { name = "a test", customer = "acme" }, Ct);
        var secret = (string)(await key.Content.ReadFromJsonAsync<JsonObject>(Ct))!["key"]!;
        using var ring = await _two.Http.PatchAsJsonAsync("/customers/acme", new { ring = 4 }, Ct);
        await TwoDatabases.ExecuteAsync(_two.First,
            "INSERT INTO tenancy.tasks (task, schema, done_at) VALUES ('greet', 'customer_acme', now())");

        Assert.Contains("acme moved to the database 'two'", await RunAsync(0, "move", "acme", "--to-database", "two"),
            StringComparison.Ordinal);

        var after = await CustomerAsync("acme");
        Assert.Equal(((string?)before["id"], "two", "customer_acme_2", 4, "active"), ((string?)after["id"],
            (string?)after["database"], (string?)after["schema"], (int)after["ring"]!, (string?)after["status"]));
        Assert.Equal([7m], await EventuallyAsync("acme"));
        using var customer = _two.Api.CreateClient();
        customer.DefaultRequestHeaders.Authorization = new("Bearer", secret);
        Assert.Single((await customer.GetFromJsonAsync<JsonObject>("/invoices", Ct))!["items"]!.AsArray());
        Assert.Equal("customer_acme_2", await TwoDatabases.ScalarAsync(
            _two.Second, "SELECT schema FROM tenancy.tasks WHERE done_at IS NOT NULL"));
        // The old schema has another name until the next run or reconcile removes it.
        Assert.Empty(await TwoDatabases.SchemasAsync(_two.First));
        Assert.Equal(1L, await FencesAsync());
        await RunAsync(0, "verify");
        await RunAsync(0, "reconcile");
        Assert.Equal(0L, await FencesAsync());
        Assert.Equal(0L, await TwoDatabases.ScalarAsync(_two.First, "SELECT count(*) FROM tenancy.tasks"));
        Assert.Contains("acme is in the database 'two' already",
            await RunAsync(0, "move", "acme", "--to-database", "two"), StringComparison.Ordinal);

        using var suspended = await _two.Http.PostAsync("/customers/acme/suspend", null, Ct);
        await RunAsync(0, "move", "acme", "--to-database", "first");
        Assert.Equal((null, "suspended"), Place(await CustomerAsync("acme")));
        using var resumed = await _two.Http.PostAsync("/customers/acme/resume", null, Ct);
        Assert.Equal([7m], await EventuallyAsync("acme"));
        Assert.Equal(["customer_acme_3"], await TwoDatabases.SchemasAsync(_two.First));
        await RunAsync(0, "reconcile");
        await RunAsync(0, "verify");
        Assert.Contains("There is no database 'three'",
            await RunAsync(64, "move", "acme", "--to-database", "three"), StringComparison.Ordinal);
        Assert.Contains("Say where", await RunAsync(64, "move", "acme"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_write_that_was_answered_is_lost_while_the_customer_moves()
    {
        var written = new List<decimal>();
        using var moved = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var writers = Enumerable.Range(1, 4).Select(writer => Task.Run(async () =>
        {
            for (var number = 1; !moved.IsCancellationRequested; number++)
            {
                var total = writer * 1000m + number;
                using var answer = await _two.Http.PostAsJsonAsync(
                    "/customers/acme/invoices", TestCustomer.Invoice(total), Ct);
                if (answer.StatusCode == HttpStatusCode.Created)
                {
                    lock (written)
                    {
                        written.Add(total);
                    }
                }
            }
        }, Ct)).ToArray();
        await Eventually.HoldsAsync(() => written.Count > 20);

        var move = await Move.MoveAsync("acme", "two", Ct);

        var before = written.Count;
        await Eventually.HoldsAsync(() => written.Count > before + 20);
        await moved.CancelAsync();
        await Task.WhenAll(writers);
        Assert.Equal(written.Append(7m).Order(), ((decimal[])(await TwoDatabases.ScalarAsync(_two.Second,
            $"SELECT array_agg(unit_price) FROM {move!.Tenant.Schema}.invoice_lines"))!).Order());
    }

    [Fact]
    public async Task Who_serves_the_old_place_for_too_long_is_refused_by_the_server()
    {
        var contexts = _two.Api.Services.GetRequiredService<TenantContextFactory<InvoicingContext>>();
        await using var stale = contexts.Create((await Directory.FindAsync("acme", Ct))!.Tenant);
        Assert.Equal(1, await stale.Invoices.CountAsync(Ct));

        await Move.MoveAsync("acme", "two", Ct);

        var refused = await Assert.ThrowsAsync<PostgresException>(() => stale.Invoices.CountAsync(Ct));
        Assert.True(refused.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName);
        Assert.Equal([7m], await EventuallyAsync("acme"));
    }

    [Fact]
    public async Task A_customer_whose_transaction_does_not_end_stays_and_is_served()
    {
        _two.Api.Services.GetRequiredService<TenancyOptions>().LockTimeout = TimeSpan.FromMilliseconds(300);
        await using var open = await _two.First.OpenConnectionAsync(Ct);
        await using var transaction = await open.BeginTransactionAsync(Ct);
        await using (var write = new NpgsqlCommand(
            "UPDATE customer_acme.invoices SET paid_on = paid_on", open, transaction))
        {
            await write.ExecuteNonQueryAsync(Ct);
        }

        var refused = await Assert.ThrowsAsync<TenantInUseException>(() => Move.MoveAsync("acme", "two", Ct));

        Assert.Contains("still open", refused.Message, StringComparison.Ordinal);
        await transaction.CommitAsync(Ct);
        Assert.Equal([7m], await EventuallyAsync("acme"));
        Assert.Empty(await TwoDatabases.SchemasAsync(_two.Second));
    }

    [Fact]
    public async Task A_copy_that_is_not_what_was_copied_is_not_taken()
    {
        CitusCluster.SkipOn("A trigger spoils the copy, and Citus has none.");
        // Something in the other database changes the rows when they are written.
        await TwoDatabases.ExecuteAsync(_two.Second,
            """
            CREATE FUNCTION public.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
            CREATE FUNCTION public.spoil() RETURNS event_trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF tg_tag = 'ALTER TABLE' THEN
                    UPDATE customer_acme_2.contacts SET name = 'Eve';
                ELSIF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE object_identity = 'customer_acme_2.contacts') THEN
                    EXECUTE 'CREATE TRIGGER z BEFORE DELETE ON customer_acme_2.contacts FOR EACH ROW EXECUTE FUNCTION public.nothing()';
                END IF;
            END $$;
            CREATE EVENT TRIGGER spoil ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE')
                EXECUTE FUNCTION public.spoil();
            """);
        await TwoDatabases.ExecuteAsync(_two.First,
            "INSERT INTO customer_acme.contacts (id, name, created_at) VALUES (gen_random_uuid(), 'Ada', now())");

        var refused = await Assert.ThrowsAsync<TenantTransferException>(() => Move.MoveAsync("acme", "two", Ct));

        Assert.Contains("The copy of the table 'contacts' has", refused.Message, StringComparison.Ordinal);
        Assert.Empty(await TwoDatabases.SchemasAsync(_two.Second));
        Assert.Equal([7m], await EventuallyAsync("acme"));
    }

    [Fact]
    public async Task With_roles_the_customer_has_one_in_its_new_database_and_the_old_one_goes()
    {
        CitusCluster.SkipOn("Citus logs in to its nodes as the role of the moment, and a tenant's role can't log in.");
        await using var two = await TwoDatabases.StartAsync(app, (DataRegistration.TenantRolesSetting, "true"));
        await two.CreateAsync("globex");
        await two.WriteAsync("globex", 3m);

        var (code, output) = await two.JobAsync("move", "globex", "--to-database", "two");
        Assert.True(code == 0, output);
        await Eventually.HoldsAsync(async () => await two.StatusAsync("globex") == HttpStatusCode.OK);
        Assert.Equal([3m], await two.InvoicesAsync("globex"));
        await two.JobAsync("reconcile");

        Assert.Equal(0L, await TwoDatabases.ScalarAsync(two.First,
            "SELECT count(*) FROM pg_roles AS r JOIN pg_shdepend AS d ON d.refobjid = r.oid AND d.dbid = " +
            "(SELECT oid FROM pg_database WHERE datname = current_database()) " +
            "WHERE r.rolname LIKE 'moving\\_%' OR r.rolname LIKE 'customer\\_globex%'"));
    }

    private TenantDirectory Directory => _two.Api.Services.GetRequiredService<TenantDirectory>();

    private async Task<JsonObject> CustomerAsync(string slug) =>
        (await _two.Http.GetFromJsonAsync<JsonObject>($"/customers/{slug}", Ct))!;

    private static (string?, string?) Place(JsonObject customer) =>
        ((string?)customer["database"], (string?)customer["status"]);

    private async Task<long> FencesAsync() => (long)(await TwoDatabases.ScalarAsync(
        _two.First, "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'moving\\_%'"))!;

    /// <summary>Its invoices, when this process has heard of the change.</summary>
    private async Task<decimal[]> EventuallyAsync(string slug)
    {
        await Eventually.HoldsAsync(async () => await _two.StatusAsync(slug) == HttpStatusCode.OK);
        return await _two.InvoicesAsync(slug);
    }

    private async Task<string> RunAsync(int expected, params string[] arguments)
    {
        var (code, output) = await _two.JobAsync(arguments);
        Assert.True(code == expected, $"{string.Join(' ', arguments)} ended with {code}: {output}");
        return output;
    }
}

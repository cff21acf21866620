// Names put into raw SQL are what is tried here.
#pragma warning disable EF1002

using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Integration.Isolation;

/// <summary>On every path to the server: the tenant's schema, no other, and nothing without a tenant.</summary>
public sealed class PathTests(App app)
{
    public static TheoryData<string> Reads => [.. TenantPaths.Reads.Keys];

    public static TheoryData<string> Writes => [.. TenantPaths.Writes.Keys];

    public static TheoryData<string> Others => [.. TenantPaths.Others.Keys];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Reads))]
    public async Task Reading_finds_the_tenants_rows_and_nobody_elses(string path)
    {
        foreach (var tenant in await TwoTenantsAsync())
        {
            await using var db = app.Invoicing.Create(tenant);

            var seen = (await TenantPaths.Reads[path](db)).ToList();

            Assert.NotEmpty(seen);
            Assert.All(seen, name => Assert.Equal(tenant.Slug, name));
        }
    }

    [Theory, MemberData(nameof(Writes))]
    public async Task Writing_changes_the_tenants_rows_and_nobody_elses(string path)
    {
        var (acme, globex) = await TwoTenantsAsync() is [var one, var other] ? (one, other) : default;
        var (mine, others) = (await RowsAsync(acme), await RowsAsync(globex));

        await using (var db = app.Invoicing.Create(acme))
        {
            await TenantPaths.Writes[path](db);
        }

        Assert.NotEqual(mine, await RowsAsync(acme));
        Assert.Equal(others, await RowsAsync(globex));
    }

    [Theory, MemberData(nameof(Others))]
    public async Task What_else_reaches_the_server_does_so_for_a_tenant(string path)
    {
        var tenant = (await app.NewCustomerAsync()).Tenant;
        await using var services = Services(app.ConnectionString);
        await using var db = services.GetRequiredService<TenantContextFactory<InvoicingContext>>().Create(tenant);

        await TenantPaths.Others[path](db);

        Assert.Contains($"\"{tenant.Schema}\".contacts", db.Contacts.ToQueryString(), StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Reads)), MemberData(nameof(Writes)), MemberData(nameof(Others))]
    public async Task Without_a_tenant_it_is_refused_before_anything_is_sent(string path)
    {
        // A data source that can reach no server: whatever got as far as opening a connection would fail with another
        // exception.
        await using var services = Services("Host=127.0.0.1;Port=1;Timeout=1");
        await using var db = services.GetRequiredService<IDbContextFactory<InvoicingContext>>().CreateDbContext();

        await Assert.ThrowsAsync<NoTenantException>(async () =>
        {
            if (TenantPaths.Reads.TryGetValue(path, out var read))
            {
                await read(db);
            }
            else
            {
                await (TenantPaths.Writes.GetValueOrDefault(path) ?? TenantPaths.Others[path])(db);
            }
        });
    }

    [Fact]
    public async Task Asked_whether_it_can_connect_a_context_without_a_tenant_says_whether_the_server_answers()
    {
        await using var services = Services(app.ConnectionString);
        await using var db = services.GetRequiredService<IDbContextFactory<InvoicingContext>>().CreateDbContext();
        await using var elsewhere = Services("Host=127.0.0.1;Port=1;Timeout=1");
        await using var nowhere = elsewhere.GetRequiredService<IDbContextFactory<InvoicingContext>>().CreateDbContext();

        Assert.True(await db.Database.CanConnectAsync(Ct));
        Assert.Equal(System.Data.ConnectionState.Closed, db.Database.GetDbConnection().State);
        Assert.False(await nowhere.Database.CanConnectAsync(Ct));
        Assert.True(await db.For((await app.NewCustomerAsync()).Tenant).Database.CanConnectAsync(Ct));
    }

    [Fact]
    public async Task Another_customers_schema_is_refused_by_every_path_that_takes_sql()
    {
        var (acme, globex) = await TwoTenantsAsync() is [var one, var other] ? (one, other) : default;
        var theirs = globex.Schema.Qualify("contacts");
        await using var db = app.Invoicing.Create(acme);
        await db.Database.OpenConnectionAsync(Ct);
        await using var connection = await app.Services.GetRequiredService<NpgsqlDataSource>().OpenConnectionAsync(Ct);

        Assert.All(
            new[]
            {
                await Assert.ThrowsAsync<CommandRefusedException>(() =>
                    db.Contacts.FromSqlRaw($"SELECT * FROM {theirs}").ToListAsync(Ct)),
                await Assert.ThrowsAsync<CommandRefusedException>(() =>
                    db.Contacts.FromSqlRaw($"SELECT * FROM {theirs}").Where(c => c.Name != "").CountAsync(Ct)),
                await Assert.ThrowsAsync<CommandRefusedException>(() =>
                    db.Database.SqlQueryRaw<string>($"SELECT name AS \"Value\" FROM {theirs}").ToListAsync(Ct)),
                await Assert.ThrowsAsync<CommandRefusedException>(() =>
                    db.Database.ExecuteSqlRawAsync($"DELETE FROM {theirs}", Ct)),
                Assert.Throws<CommandRefusedException>(() => db.Database.ExecuteSqlRaw($"DELETE FROM {theirs}")),
                Assert.Throws<CommandRefusedException>(() =>
                    db.Contacts.FromSqlRaw($"SELECT * FROM {theirs}").ToQueryString()),
                Assert.Throws<CommandRefusedException>(() => db.CreateTenantCommand($"SELECT * FROM {theirs}")),
                Assert.Throws<CommandRefusedException>(() =>
                    connection.CreateTenantCommand(acme, $"SELECT * FROM {theirs}")),
            },
            refusal => Assert.Equal((CommandRule.ForeignSchema, true),
                (refusal.Rule, refusal.Message.Contains(globex.Schema.Value, StringComparison.Ordinal))));
    }

    [Fact]
    public async Task Shared_data_is_read_only_even_as_entities()
    {
        var acme = (await app.NewCustomerAsync()).Tenant;
        await using var db = app.Invoicing.Create(acme);
        db.Currencies.Add(new("XTS", "For tests", 2));

        // EF wraps whatever SaveChanges throws.
        var unsaved = await Assert.ThrowsAsync<DbUpdateException>(() => db.SaveChangesAsync(Ct));
        Assert.Equal(
            CommandRule.SharedTableIsReadOnly, Assert.IsType<CommandRefusedException>(unsaved.InnerException).Rule);
        Assert.Equal(CommandRule.SharedTableIsReadOnly,
            (await Assert.ThrowsAsync<CommandRefusedException>(() => db.Currencies.ExecuteDeleteAsync(Ct))).Rule);
        Assert.Equal(CommandRule.ForeignSchema,
            (await Assert.ThrowsAsync<CommandRefusedException>(() =>
                db.Database.ExecuteSqlRawAsync("SELECT 1 FROM public.customers", Ct))).Rule);
    }

    [Fact]
    public async Task A_tenants_context_neither_makes_nor_deletes_the_database_of_all()
    {
        var acme = (await app.NewCustomerAsync()).Tenant;
        await using var db = app.Invoicing.Create(acme);

        Assert.Contains("all tenants share",
            (await Assert.ThrowsAsync<InvalidOperationException>(() => db.Database.EnsureDeletedAsync(Ct))).Message,
            StringComparison.Ordinal);
        Assert.Empty(await db.Contacts.ToListAsync(Ct));
    }

    private async Task<Tenant[]> TwoTenantsAsync()
    {
        var tenants = new[] { (await app.NewCustomerAsync()).Tenant, (await app.NewCustomerAsync()).Tenant };
        foreach (var tenant in tenants)
        {
            await using var db = app.Invoicing.Create(tenant);
            db.Invoices.Add(new Invoice
            {
                Id = TenantPaths.InvoiceId,
                Contact = new() { Id = TenantPaths.ContactId, Name = tenant.Slug },
                CurrencyCode = "EUR",
                Lines = [new() { Position = 1, Description = tenant.Slug, Quantity = 1 },
                    new() { Position = 2, Description = tenant.Slug, Quantity = 1 }],
            });
            await db.SaveChangesAsync(Ct);
        }

        return tenants;
    }

    /// <summary>Every row of the customer's, over a connection that knows nothing of tenants.</summary>
    private async Task<string> RowsAsync(Tenant tenant)
    {
        var all = string.Join(" UNION ALL ",
            new[] { "contacts", "invoices", "invoice_lines" }
                .Select(table => $"SELECT t::text || t.xmin AS row FROM {tenant.Schema.Qualify(table)} t"));
        await using var command = app.Services.GetRequiredService<NpgsqlDataSource>()
            .CreateCommand($"SELECT string_agg(row, ';' ORDER BY row) FROM ({all}) AS rows");
        return (string)(await command.ExecuteScalarAsync(Ct))!;
    }

    private static ServiceProvider Services(string connectionString) =>
        new ServiceCollection().AddTenancy<InvoicingContext>(options => options.ConnectionString = connectionString)
            .BuildServiceProvider();
}

using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Tests.Integration.Server;
using Xunit;

namespace Tests.Integration.Roles;

/// <summary>A role for each tenant: the switch travels with each statement, and the server holds the wall.</summary>
public sealed class TenantRolesTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_way_of_EFs_runs_as_the_tenants_role_and_says_what_it_says_without()
    {
        await using var fleet = await RoleFleet.StartAsync(app.Server);
        var acme = await fleet.NewAsync("acme");
        await using var db = fleet.For(acme);

        Assert.Equal(fleet.RoleOf(acme),
            await db.Database.SqlQuery<string>($"SELECT current_user::text AS \"Value\"").SingleAsync(Ct));
        var contacts = Enumerable.Range(0, 5).Select(RoleFleet.NewContact).ToList();
        db.AddRange(contacts);
        Assert.Equal(5, await db.SaveChangesAsync(Ct));
        contacts[1].Name = "changed";
        db.Remove(contacts[0]);
        db.Add(RoleFleet.NewContact(9));
        Assert.Equal(3, db.SaveChanges());
        var all = new List<string>();
        await foreach (var contact in db.Contacts.AsNoTracking().OrderBy(c => c.Name).AsAsyncEnumerable())
        {
            all.Add(contact.Name);
        }

        Assert.Equal(["2", "3", "4", "9", "changed"], all);
        Assert.Equal(all, db.Contacts.OrderBy(c => c.Name).Select(c => c.Name));
        Assert.Equal(5, await db.Contacts.CountAsync(Ct));
        Assert.Equal(1, await db.Contacts.Where(c => c.Name == "2").ExecuteUpdateAsync(
            set => set.SetProperty(c => c.Email, "new"), Ct));
        Assert.Equal(4, db.Database.ExecuteSql(
            $"UPDATE \"__Tenant__\".contacts SET email = 'x' || name WHERE name <> {"2"}"));
        Assert.Equal(5, await db.Contacts.ExecuteDeleteAsync(Ct));
        Assert.NotEmpty(await db.Currencies.ToListAsync(Ct));
        db.Add(Invoices.New());
        await db.SaveChangesAsync(Ct);
        Assert.Single((await db.Invoices.Include(i => i.Lines).AsNoTracking().SingleAsync(Ct)).Lines);
        Assert.Single(await db.Invoices.AsSplitQuery().Include(i => i.Lines).AsNoTracking().ToListAsync(Ct));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_row_that_is_gone_is_that_rows_conflict_wherever_it_stands_in_the_batch(bool async)
    {
        await using var fleet = await RoleFleet.StartAsync(app.Server);
        var acme = await fleet.NewAsync("acme");
        for (var gone = 0; gone < 4; gone++)
        {
            await using var db = fleet.For(acme);
            var contacts = Enumerable.Range(10 * gone, 4).Select(RoleFleet.NewContact).OrderBy(c => c.Id).ToList();
            db.AddRange(contacts);
            await db.SaveChangesAsync(Ct);
            await fleet.OwnerAsync($"DELETE FROM {acme.Schema.Qualify("contacts")} WHERE id = '{contacts[gone].Id}'");
            contacts.ForEach(contact => contact.Name += " changed");

            var conflict = async
                ? await Assert.ThrowsAsync<DbUpdateConcurrencyException>(() => db.SaveChangesAsync(Ct))
                : Assert.Throws<DbUpdateConcurrencyException>(() => db.SaveChanges());

            Assert.Same(contacts[gone], Assert.Single(conflict.Entries).Entity);
        }
    }

    [Fact]
    public async Task A_violated_constraint_is_the_provider_s_exception_with_its_entry()
    {
        await using var fleet = await RoleFleet.StartAsync(app.Server);
        await using var db = fleet.For(await fleet.NewAsync("acme"));
        db.Add(RoleFleet.NewContact(1));
        await db.SaveChangesAsync(Ct);
        db.Add(RoleFleet.NewContact(1));

        var error = await Assert.ThrowsAsync<DbUpdateException>(() => db.SaveChangesAsync(Ct));

        Assert.Equal(
            PostgresErrorCodes.UniqueViolation, Assert.IsType<PostgresException>(error.InnerException).SqlState);
        Assert.Single(error.Entries);
    }

    [Fact]
    public async Task Hand_written_commands_COPY_and_reading_across_tenants_switch_too()
    {
        await using var fleet = await RoleFleet.StartAsync(app.Server);
        var (acme, globex) = (await fleet.NewAsync("acme"), await fleet.NewAsync("globex"));
        await using (var db = fleet.For(acme))
        {
            await Assert.ThrowsAsync<InvalidOperationException>(() => db.CopyAsync([RoleFleet.NewContact(1)], Ct));
            await using var transaction = await db.Database.BeginTransactionAsync(Ct);
            await db.CopyAsync([RoleFleet.NewContact(1), RoleFleet.NewContact(2)], Ct);
            await transaction.CommitAsync(Ct);
            const string Count = "SELECT count(*) FROM \"__Tenant__\".contacts WHERE name <> $1";
            Assert.Throws<InvalidOperationException>(() => db.CreateTenantCommand(Count));
            await using var another = await db.Database.BeginTransactionAsync(Ct);
            await db.SwitchToTenantRoleAsync(Ct);
            await using var count = db.CreateTenantCommand(Count);
            count.Parameters.AddWithValue("1");
            Assert.Equal(1L, await count.ExecuteScalarAsync(Ct));
        }

        await using var scope = fleet.Services.CreateAsyncScope();
        var across = scope.ServiceProvider.GetRequiredService<AcrossTenants<InvoicingContext>>();
        var rows = new Dictionary<string, int>();
        await foreach (var tenant in across.ReadAsync([acme, globex], db => db.Contacts.Select(c => c.Name), ct: Ct))
        {
            rows[tenant.Tenant.Slug] = tenant.Rows.Count;
        }

        Assert.Equal(new() { ["acme"] = 2, ["globex"] = 0 }, rows);
    }

    [Fact]
    public async Task Through_a_pooler_each_statement_is_its_own_tenants()
    {
        await using var bouncer = await PgBouncer.StartAsync(app.ConnectionString, Ct);
        await using var fleet = await RoleFleet.StartAsync(app.Server);
        var tenants = new List<Tenant>();
        for (var number = 0; number < 4; number++)
        {
            tenants.Add(await fleet.NewAsync($"t{number}"));
        }

        // The pooler knows the server's user alone, which may become any role.
        var pooled = new NpgsqlConnectionStringBuilder(bouncer.ConnectionString)
        {
            Database = new NpgsqlConnectionStringBuilder(fleet.Owner.ConnectionString).Database, MaxPoolSize = 12,
        }.ConnectionString;
        await using var services = new ServiceCollection().AddLogging().AddTenancy<InvoicingContext>(options =>
        {
            options.ConnectionString = fleet.Services.GetRequiredService<TenancyOptions>().TenantConnectionString!;
            options.TenantConnectionString = pooled;
            options.TenantRoles = new("unused");
        }).BuildServiceProvider();
        var contexts = services.GetRequiredService<TenantContextFactory<InvoicingContext>>();
        var roles = tenants.Select(fleet.RoleOf).ToList();

        await Task.WhenAll(Enumerable.Range(0, 12).Select(async worker =>
        {
            for (var turn = 0; turn < 20; turn++)
            {
                var at = (worker + turn) % tenants.Count;
                await using var db = contexts.Create(tenants[at]);
                Assert.Equal(roles[at],
                    await db.Database.SqlQuery<string>($"SELECT current_user::text AS \"Value\"").SingleAsync(Ct));
                db.Add(RoleFleet.NewContact(1000 + 100 * worker + turn));
                await db.SaveChangesAsync(Ct);
            }
        }));

        await using var direct = NpgsqlDataSource.Create(pooled);
        for (var asked = 0; asked < 20; asked++)
        {
            await using var who = direct.CreateCommand("SELECT current_user = session_user");
            Assert.Equal(true, await who.ExecuteScalarAsync(Ct));
        }
    }

    [Fact]
    public void Roles_need_a_login_that_is_not_the_owners()
    {
        var services = new ServiceCollection().AddLogging().AddTenancy<InvoicingContext>(options =>
        {
            options.ConnectionString = "Host=localhost;Username=owner";
            options.TenantConnectionString = "Host=localhost;Username=owner;Maximum Pool Size=3";
            options.TenantRoles = new("shared");
        }).BuildServiceProvider();

        var error = Assert.ThrowsAny<Exception>(services.GetRequiredService<TenancyOptions>);

        Assert.Contains("TenantConnectionString, with another user name", error.Message, StringComparison.Ordinal);
    }
}

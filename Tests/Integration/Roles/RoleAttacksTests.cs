using Microsoft.EntityFrameworkCore;
using Tenancy;
using Xunit;

namespace Tests.Integration.Roles;

/// <summary>What the server refuses by the tenants' roles, with the guard switched off.</summary>
public sealed class RoleAttacksTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_login_has_no_rights_of_its_own_and_keeps_none_of_the_tenants()
    {
        await using var fleet = await RoleFleet.StartAsync(app.Server,
            options => options.TenantConnectionString += ";Maximum Pool Size=1");
        var acme = await fleet.NewAsync("acme");
        await using (var db = fleet.For(acme))
        {
            await using var transaction = await db.Database.BeginTransactionAsync(Ct);
            Assert.Empty(await db.Contacts.ToListAsync(Ct));
            await transaction.CreateSavepointAsync("here", Ct);
            Assert.Empty(await db.Invoices.ToListAsync(Ct));
            await transaction.RollbackToSavepointAsync("here", Ct);
            Assert.Empty(await db.Invoices.ToListAsync(Ct));
            await transaction.CommitAsync(Ct);
            Assert.Empty(await db.Contacts.ToListAsync(Ct));
            await db.Database.OpenConnectionAsync(Ct);
            await using var bare = db.Database.GetDbConnection().CreateCommand();
            bare.CommandText = "SELECT current_user = session_user";
            Assert.Equal(true, await bare.ExecuteScalarAsync(Ct));
            bare.CommandText = $"SELECT count(*) FROM {acme.Schema.Qualify("contacts")}";
            await RoleFleet.RefusedAsync(() => bare.ExecuteScalarAsync(Ct));
            bare.CommandText = "SELECT count(*) FROM public.currencies";
            await RoleFleet.RefusedAsync(() => bare.ExecuteScalarAsync(Ct));
        }

        await using var connection = await fleet.Login.OpenConnectionAsync(Ct);
        await using var rewritten = connection.CreateTenantCommand(acme, "SELECT count(*) FROM \"__Tenant__\".contacts");
        await RoleFleet.RefusedAsync(() => rewritten.ExecuteScalarAsync(Ct));
    }

    [Theory]
    [InlineData("SELECT l.id FROM \"__Tenant__\".invoice_lines l JOIN \"__Tenant__\".contacts OTHER ON CASE WHEN true " +
        "THEN true END, OTHER.contacts")]
    [InlineData("SELECT * FROM OTHER.contacts")]
    [InlineData("INSERT INTO OTHER.contacts SELECT * FROM \"__Tenant__\".contacts")]
    [InlineData("UPDATE OTHER.invoices SET paid_on = NULL")]
    [InlineData("DELETE FROM OTHER.invoices")]
    [InlineData("TRUNCATE OTHER.invoices")]
    [InlineData("SELECT query_to_xml('SELECT name FROM OTHER.contacts', true, false, '')")]
    [InlineData("SELECT * FROM ts_stat('SELECT to_tsvector(name) FROM OTHER.contacts')")]
    [InlineData("SELECT name FROM public.customers")]
    [InlineData("SELECT * FROM tenancy.schemas")]
    [InlineData("UPDATE public.currencies SET decimals = 0")]
    [InlineData("DELETE FROM \"__Tenant__\".\"__EFMigrationsHistory\"")]
    [InlineData("ALTER TABLE \"__Tenant__\".contacts ADD x int")]
    [InlineData("CREATE TABLE \"__Tenant__\".mine ()")]
    [InlineData("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = session_user AND pid <> " +
        "pg_backend_pid()")]
    [InlineData("RESET ROLE; SELECT * FROM OTHER.contacts")]
    [InlineData("RESET ROLE; SELECT * FROM \"__Tenant__\".contacts")]
    [InlineData("DO $$ BEGIN EXECUTE 'SELECT * FROM OTHER.contacts'; END $$")]
    public async Task Without_the_guard_the_server_refuses(string attack)
    {
        await using var fleet = await RoleFleet.StartAsync(app.Server, options => options.Unguarded = true);
        var acme = await fleet.NewAsync("acme");
        var globex = await fleet.NewAsync("globex");
        await using (var victim = fleet.For(globex))
        {
            victim.Add(RoleFleet.NewContact(1));
            await victim.SaveChangesAsync(Ct);
            // An idle backend of the login's.
            await using var idle = await fleet.Login.OpenConnectionAsync(Ct);
        }

        await using var db = fleet.For(acme);
        db.Add(RoleFleet.NewContact(1));
        await db.SaveChangesAsync(Ct);
        var sql = attack.Replace("OTHER", globex.Schema.Value, StringComparison.Ordinal);

        await RoleFleet.RefusedAsync(() => db.Database.ExecuteSqlRawAsync(sql, Ct));
    }

    [Theory]
    [InlineData("SELECT count(*)::int AS \"Value\" FROM pg_stats WHERE schemaname LIKE 'customer%'")]
    [InlineData("SELECT count(*)::int AS \"Value\" FROM pg_stat_activity WHERE usename = session_user AND query LIKE " +
        "'%contacts%' AND pid <> pg_backend_pid()")]
    public async Task Without_the_guard_the_catalogs_show_nothing_of_others(string look)
    {
        await using var fleet = await RoleFleet.StartAsync(app.Server, options => options.Unguarded = true);
        var (acme, globex) = (await fleet.NewAsync("acme"), await fleet.NewAsync("globex"));
        await using var victim = fleet.For(globex);
        victim.AddRange(Enumerable.Range(0, 50).Select(RoleFleet.NewContact));
        await victim.SaveChangesAsync(Ct);
        await fleet.OwnerAsync($"ANALYZE {globex.Schema.Qualify("contacts")}");
        await using var open = await victim.Database.BeginTransactionAsync(Ct);
        Assert.Equal(50, await victim.Contacts.CountAsync(Ct));

        await using var db = fleet.For(acme);
        Assert.Equal(0, await db.Database.SqlQueryRaw<int>(look).SingleAsync(Ct));
    }
}

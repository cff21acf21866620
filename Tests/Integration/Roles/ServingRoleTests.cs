using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Integration.Roles;

/// <summary>
/// What the login that serves customers may do, and what the server refuses it however the statement is dressed.
/// </summary>
public sealed class ServingRoleTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_customers_context_reads_and_writes_rows_and_joins_what_is_shared()
    {
        var acme = (await app.NewCustomerAsync()).Tenant;
        await using (var db = app.Invoicing.Create(acme))
        {
            db.Invoices.Add(Invoices.New());
            await db.SaveChangesAsync(Ct);
        }

        await using var again = app.Invoicing.Create(acme);
        var invoice = await again.Invoices.Include(i => i.Lines).SingleAsync(Ct);
        invoice.PaidOn = invoice.DueOn;
        again.InvoiceLines.RemoveRange(invoice.Lines);
        await again.SaveChangesAsync(Ct);

        Assert.Equal(new NpgsqlConnectionStringBuilder(app.ServingConnectionString).Username,
            await again.Database.SqlQuery<string>($"SELECT current_user::text AS \"Value\"").SingleAsync(Ct));
        Assert.Equal("Euro", await Invoices.CurrencyAsync(again, Ct));
        Assert.Empty(await again.InvoiceLines.ToListAsync(Ct));
        Assert.Equal(1, await again.Invoices.ExecuteDeleteAsync(Ct));
    }

    [Theory]
    [InlineData("CREATE TABLE {own}.mine ()")]
    [InlineData("CREATE VIEW {own}.mine AS SELECT 1")]
    [InlineData("CREATE FUNCTION {own}.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'")]
    [InlineData("CREATE INDEX ON {own}.contacts (email)")]
    [InlineData("ALTER TABLE {own}.invoices ADD mine int")]
    [InlineData("ALTER TABLE {own}.invoices DISABLE TRIGGER ALL")]
    [InlineData("DROP TABLE {own}.invoice_lines")]
    [InlineData("TRUNCATE {own}.invoice_lines")]
    [InlineData("DROP SCHEMA {own} CASCADE")]
    [InlineData("ALTER SCHEMA {own} RENAME TO mine")]
    [InlineData("CREATE SCHEMA mine")]
    [InlineData("CREATE TABLE public.mine ()")]
    [InlineData("CREATE TEMP TABLE contacts ()")]
    [InlineData("SELECT * FROM {own}.\"__EFMigrationsHistory\"")]
    [InlineData("INSERT INTO {own}.\"__EFMigrationsHistory\" VALUES ('99991231235959_Never', '10')")]
    [InlineData("DELETE FROM {own}.\"__EFMigrationsHistory\"")]
    [InlineData("INSERT INTO public.currencies VALUES ('XXX', 'Mine', 2)")]
    [InlineData("UPDATE public.currencies SET decimals = 0")]
    [InlineData("DELETE FROM public.currencies")]
    [InlineData("SELECT * FROM public.customers")]
    [InlineData("SELECT * FROM public.\"__EFMigrationsHistory\"")]
    [InlineData("SELECT * FROM tenancy.schemas")]
    [InlineData("UPDATE tenancy.schemas SET state = 'archived'")]
    [InlineData("SET ROLE {owner}")]
    [InlineData("SET SESSION AUTHORIZATION {owner}")]
    [InlineData("ALTER ROLE tenancy_api LOGIN")]
    [InlineData("CREATE ROLE mine")]
    [InlineData("GRANT {owner} TO tenancy_api")]
    [InlineData("COPY {own}.contacts TO PROGRAM 'cat'")]
    public async Task The_server_refuses_it_plainly_and_hidden_from_whoever_reads_the_statement(string statement)
    {
        var acme = (await app.NewCustomerAsync()).Tenant;
        var sql = statement.Replace("{own}", acme.Schema.Quoted, StringComparison.Ordinal)
            .Replace("{owner}",
                new NpgsqlCommandBuilder()
                    .QuoteIdentifier(new NpgsqlConnectionStringBuilder(app.ConnectionString).Username!),
                        StringComparison.Ordinal);
        // Put together on the server, from pieces: nothing in the text of either names what it does.
        var hidden =
            $"convert_from(decode('{Convert.ToHexString(System.Text.Encoding.UTF8.GetBytes(sql))}', 'hex'), 'UTF8')";
        await OwnerAsync(
            $"CREATE FUNCTION {acme.Schema.Qualify("run")}(statement text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN " +
            "EXECUTE statement; END $$");

        await RefusedAsync(sql);
        await RefusedAsync($"DO $$ BEGIN EXECUTE {hidden}; END $$");
        await RefusedAsync($"SELECT {acme.Schema.Qualify("run")}({hidden})");
    }

    [Fact]
    public async Task What_a_later_migration_makes_is_covered_before_it_exists()
    {
        var acme = (await app.NewCustomerAsync()).Tenant;
        var notes = acme.Schema.Qualify("notes");
        await OwnerAsync($"""
            CREATE TABLE {notes} (id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY, number serial, text text);
            CREATE PROCEDURE {acme.Schema.Qualify("note")}(text text) LANGUAGE sql AS 'INSERT INTO {notes} (text) VALUES (text)';
            """);

        await using var serving = NpgsqlDataSource.Create(app.ServingConnectionString);
        await using var use = serving.CreateCommand($"""
            CALL {acme.Schema.Qualify("note")}('first');
            INSERT INTO {notes} (text) VALUES ('second');
            UPDATE {notes} SET text = 'changed' WHERE number = 1;
            DELETE FROM {notes} WHERE number = 2;
            SELECT string_agg(text, ',') FROM {notes};
            """);

        Assert.Equal("changed", await use.ExecuteScalarAsync(Ct));
        Assert.Equal(
            "42501", (await Assert.ThrowsAsync<PostgresException>(() => ServingAsync($"DROP TABLE {notes}"))).SqlState);
    }

    private async Task RefusedAsync(string sql)
    {
        var refused = await Assert.ThrowsAsync<PostgresException>(() => ServingAsync(sql));
        Assert.True(refused.SqlState == PostgresErrorCodes.InsufficientPrivilege, $"{sql}: {refused.MessageText}");
    }

    private async Task ServingAsync(string sql)
    {
        await using var connection = await app.Services.GetRequiredKeyedService<NpgsqlDataSource>(
            TenancyOptions.TenantsKey).OpenConnectionAsync(Ct);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Ct);
    }

    private async Task OwnerAsync(string sql)
    {
        await using var command = app.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Ct);
    }
}

/// <summary>An invoice with a line, and the join that shows both tables can be read.</summary>
internal static class Invoices
{
    public static Invoice New() => new()
    {
        Contact = new Contact { Name = "Ada Moreau" },
        CurrencyCode = "EUR",
        IssuedOn = new(2026, 11, 23),
        DueOn = new(2026, 12, 23),
        Lines = [new InvoiceLine { Position = 1, Description = "Work", Quantity = 1, UnitPrice = 120, Total = 120 }],
    };

    public static Task<string> CurrencyAsync(InvoicingContext db, CancellationToken ct) => (
        from invoice in db.Invoices
        join currency in db.Currencies on invoice.CurrencyCode equals currency.Code
        select currency.Name).SingleAsync(ct);
}

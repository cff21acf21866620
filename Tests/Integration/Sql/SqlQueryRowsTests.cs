using System.ComponentModel.DataAnnotations.Schema;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Tenancy;
using Xunit;

namespace Tests.Integration.Sql;

/// <summary>SqlQuery of rows that no model has: EF makes a model for them, which isn't a tenant's.</summary>
public sealed class SqlQueryRowsTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Records_classes_and_scalars_are_read_from_the_tenants_schema()
    {
        var (acme, globex) = ((await app.NewCustomerAsync()).Tenant, (await app.NewCustomerAsync()).Tenant);
        foreach (var tenant in new[] { acme, globex })
        {
            await using var db = app.Invoicing.Create(tenant);
            db.Contacts.Add(new Contact { Name = tenant.Slug, Email = "ada@example.com" });
            await db.SaveChangesAsync(Ct);

            var rows = await db.Database.SqlQuery<Row>(
                $"""SELECT name AS "Name", email AS "Email", 1.5 AS "Amount" FROM "__Tenant__".contacts""")
                .ToListAsync(Ct);
            var composed = await db.Database.SqlQuery<Row>(
                $"""SELECT name AS "Name", email AS "Email", 1.5 AS "Amount" FROM "__Tenant__".contacts""")
                .Where(row => row.Name == tenant.Slug && row.Amount > 1).OrderBy(row => row.Email).SingleAsync(Ct);
            var classes = await db.Database.SqlQuery<Keywords>(
                $"""SELECT name AS "from", 2 AS "update", now() AS "operator" FROM "__Tenant__".contacts""")
                .Where(row => row.Update == 2).ToListAsync(Ct);
            var names = await db.Database.SqlQuery<string>(
                $"""SELECT name AS "Value" FROM "__Tenant__".contacts""").Where(name => name != "").ToListAsync(Ct);

            Assert.Equal([new(tenant.Slug, "ada@example.com", 1.5m)], rows);
            Assert.Equal(rows.Single(), composed);
            Assert.Equal(tenant.Slug, Assert.Single(classes).From);
            Assert.Equal([tenant.Slug], names);
        }
    }

    [Fact]
    public async Task Its_sql_is_guarded()
    {
        var acme = (await app.NewCustomerAsync()).Tenant;
        await using var db = app.Invoicing.Create(acme);

        await Assert.ThrowsAsync<CommandRefusedException>(() => db.Database.SqlQuery<Row>(
            $"""SELECT slug AS "Name", NULL AS "Email", 1 AS "Amount" FROM public.customers""").ToListAsync(Ct));
    }

    private sealed record Row(string Name, string? Email, decimal Amount);

    private sealed class Keywords
    {
        [Column("from")]
        public required string From { get; init; }

        [Column("update")]
        public int Update { get; init; }

        [Column("operator")]
        public DateTime Operator { get; init; }
    }
}

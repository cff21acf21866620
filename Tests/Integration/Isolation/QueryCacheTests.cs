using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;
using Tenancy;
using Xunit;

namespace Tests.Integration.Isolation;

/// <summary>
/// The library makes the keys of EF's query cache itself: whatever changes a query's SQL has to be in them.
/// </summary>
public sealed class QueryCacheTests(App app)
{
    [Fact]
    public async Task Contexts_whose_options_differ_get_a_query_each()
    {
        var acme = await app.NewCustomerAsync();
        await acme.CreateInvoiceAsync(total: 10);

        // The same query each time, and then again, when all of them are in the cache.
        for (var round = 0; round < 2; round++)
        {
            Assert.Equal(1,
                await CommandsAsync(
                    acme.Tenant, options => options.UseQuerySplittingBehavior(QuerySplittingBehavior.SingleQuery)));
            Assert.Equal(2,
                await CommandsAsync(
                    acme.Tenant, options => options.UseQuerySplittingBehavior(QuerySplittingBehavior.SplitQuery)));
        }
    }

    [Fact]
    public async Task Null_is_compared_as_each_contexts_options_say()
    {
        var acme = await app.NewCustomerAsync();

        for (var round = 0; round < 2; round++)
        {
            Assert.Contains("IS NULL", Comparison(acme.Tenant, relationalNulls: false), StringComparison.Ordinal);
            Assert.DoesNotContain("IS NULL", Comparison(acme.Tenant, relationalNulls: true), StringComparison.Ordinal);
        }
    }

    private string Comparison(Tenant tenant, bool relationalNulls)
    {
        using var context = Context(tenant, options => options.UseRelationalNulls(relationalNulls));
        return context.Invoices.Where(invoice => invoice.PaidOn != invoice.IssuedOn).ToQueryString();
    }

    private async Task<int> CommandsAsync(Tenant tenant, Action<NpgsqlDbContextOptionsBuilder> options)
    {
        var commands = 0;
        await using var context = Context(
            tenant, options, text => commands += text.Contains("Executed DbCommand", StringComparison.Ordinal) ? 1 : 0);
        var invoice = Assert.Single(
            await context.Invoices.Include(i => i.Lines).ToListAsync(TestContext.Current.CancellationToken));
        Assert.Single(invoice.Lines);
        return commands;
    }

    private InvoicingContext Context(
        Tenant tenant, Action<NpgsqlDbContextOptionsBuilder> configure, Action<string>? log = null)
    {
        var options = new DbContextOptionsBuilder<InvoicingContext>();
        options.UseNpgsql(app.Services.GetRequiredService<NpgsqlDataSource>(), configure).UseTenancy();
        if (log is not null)
        {
            options.LogTo(log);
        }

        return new InvoicingContext(options.Options).For(tenant);
    }
}

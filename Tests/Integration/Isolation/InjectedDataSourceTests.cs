using Data.Invoicing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Integration.Isolation;

/// <summary>What somebody leaves in a session of an injected data source, no tenant finds.</summary>
public sealed class InjectedDataSourceTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(null)]
    [InlineData(TenancyOptions.OwnerKey)]
    [InlineData(TenancyOptions.TenantsKey)]
    public async Task What_is_left_in_its_session_reaches_nobody(string? key)
    {
        var acme = (await app.NewCustomerAsync()).Tenant;
        await using var services = new ServiceCollection()
            .AddTenancy<InvoicingContext>(options =>
                options.ConnectionString = $"{app.ConnectionString};Maximum Pool Size=1")
            .BuildServiceProvider();
        var injected = key is null
            ? services.GetRequiredService<NpgsqlDataSource>()
            : services.GetRequiredKeyedService<NpgsqlDataSource>(key);
        await using (var connection = await injected.OpenConnectionAsync(Ct))
        {
            await using var command = connection.CreateCommand();
            command.CommandText = "SET default_transaction_read_only = on; SELECT pg_advisory_lock(4711)";
            await command.ExecuteNonQueryAsync(Ct);
        }

        await using (var scope = services.CreateAsyncScope())
        {
            scope.ServiceProvider.GetRequiredService<CurrentTenant>().Choose(acme);
            var db = scope.ServiceProvider.GetRequiredService<InvoicingContext>();
            db.Contacts.Add(new Contact { Name = "Ada" });
            await db.SaveChangesAsync(Ct);
        }

        await using var next = injected.CreateCommand(
            "SELECT current_setting('default_transaction_read_only') || ' ' || (SELECT count(*) FROM pg_locks AS l JOIN " +
            "pg_database AS d ON d.oid = l.database AND d.datname = current_database() WHERE l.locktype = 'advisory' " +
            "AND l.objid = 4711)");
        Assert.Equal("off 0", await next.ExecuteScalarAsync(Ct));
    }
}

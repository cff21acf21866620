using Data;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Tenancy;
using Tests.Integration.Customers;
using Tests.Integration.Fleet;
using Xunit;

namespace Tests.Integration.Citus;

/// <summary>The coordinator logs in to the nodes as the login that serves.</summary>
public sealed class NodeLoginTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_job_lets_a_login_into_the_nodes_that_somebody_else_has_made()
    {
        CitusCluster.SkipWithout();
        await using var database = await CustomersDatabase.CreateAsync(app);
        var serving = new NpgsqlConnectionStringBuilder(app.Server.AsNewLogin(database.ConnectionString));
        await database.ScalarAsync<object>(
            $"SELECT 1; CREATE ROLE {serving.Username} LOGIN PASSWORD '{serving.Password}'");
        var customer = await CustomersDatabase.CreateAsync(database.Application(), App.NewSlug());

        var (exitCode, output) = await Job.RunWithLoginAsync(
            database.ConnectionString, serving.ConnectionString, ("Tenancy:CitusNodePasswords", "true"));

        Assert.True(exitCode == 0, output);
        Assert.Contains(
            $"Wrote the password of {serving.Username} to pg_dist_authinfo", output, StringComparison.Ordinal);
        Assert.DoesNotContain(serving.Password!, output, StringComparison.Ordinal);
        Assert.Equal(0L, await CountContactsAsync(serving.ConnectionString, customer));
    }

    [Fact]
    public async Task Nothing_is_written_unless_the_option_asks_for_it()
    {
        CitusCluster.SkipWithout();
        await using var database = await CustomersDatabase.CreateAsync(app);
        var serving = app.Server.AsNewLogin(database.ConnectionString);

        await LoginOf(database, serving, nodePasswords: false).EnsureAsync(DataRegistration.ApiRole, Ct);

        Assert.Equal(0L, await database.ScalarAsync<long>("SELECT count(*) FROM pg_dist_authinfo"));
    }

    [Theory]
    [InlineData("plain")]
    [InlineData(@"it's \ odd")]
    public async Task A_password_that_changed_is_written_anew(string password)
    {
        CitusCluster.SkipWithout();
        await using var database = await CustomersDatabase.CreateAsync(app);
        var customer = await CustomersDatabase.CreateAsync(database.Application(), App.NewSlug());
        var serving = app.Server.AsNewLogin(database.ConnectionString);
        await LoginOf(database, serving, nodePasswords: true).EnsureAsync(DataRegistration.ApiRole, Ct);
        var changed = new NpgsqlConnectionStringBuilder(serving) { Password = password }.ConnectionString;

        await LoginOf(database, changed, nodePasswords: true).EnsureAsync(DataRegistration.ApiRole, Ct);
        await LoginOf(database, changed, nodePasswords: true).EnsureAsync(DataRegistration.ApiRole, Ct);

        Assert.Equal(0L, await CountContactsAsync(changed, customer));
        Assert.Equal(1L, await database.ScalarAsync<long>("SELECT count(*) FROM pg_dist_authinfo"));
    }

    [Fact]
    public async Task An_owner_who_may_not_write_the_passwords_is_told_what_to_do()
    {
        CitusCluster.SkipWithout();
        await using var database = await CustomersDatabase.CreateAsync(app);
        var owner = new NpgsqlConnectionStringBuilder(app.Server.AsNewLogin(database.ConnectionString));
        await database.ScalarAsync<object>($"SELECT 1; CREATE ROLE {owner.Username} LOGIN CREATEROLE PASSWORD " +
            $"'{owner.Password}'");
        var serving = app.Server.AsNewLogin(database.ConnectionString);
        await using var source = NpgsqlDataSource.Create($"{owner.ConnectionString};Pooling=false");
        await LoginOf(database, serving, nodePasswords: false).EnsureAsync(DataRegistration.ApiRole, Ct);

        var refused = await Assert.ThrowsAsync<TenantLoginException>(() => new TenantLogin(
            source, new() { ConnectionString = owner.ConnectionString, TenantConnectionString = serving,
                CitusNodePasswords = true }, NullLogger<TenantLogin>.Instance)
            .EnsureAsync(DataRegistration.ApiRole, Ct));

        Assert.Contains("GRANT SELECT, INSERT, UPDATE ON pg_dist_authinfo", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_role_for_each_customer_is_refused_because_Citus_could_not_log_in_with_it()
    {
        CitusCluster.SkipWithout();
        await using var database = await CustomersDatabase.CreateAsync(app);

        var (exitCode, output) = await Job.RunWithLoginAsync(
            database.ConnectionString, app.Server.AsNewLogin(database.ConnectionString),
            ("Tenancy:TenantRoles", "true"));

        Assert.Equal(2, exitCode);
        Assert.Contains("TenantRoles can't be used on Citus", output, StringComparison.Ordinal);
    }

    private static TenantLogin LoginOf(CustomersDatabase database, string serving, bool nodePasswords) => new(
        database.Admin, new() { ConnectionString = database.ConnectionString, TenantConnectionString = serving,
            CitusNodePasswords = nodePasswords }, NullLogger<TenantLogin>.Instance);

    private static async Task<long> CountContactsAsync(string serving, Data.Customers.Customer customer)
    {
        await using var connection = new NpgsqlConnection($"{serving};Pooling=false");
        await connection.OpenAsync(Ct);
        await using var count = new NpgsqlCommand(
            $"SELECT count(*) FROM {customer.AsTenant().Schema.Qualify("contacts")}", connection);
        return (long)(await count.ExecuteScalarAsync(Ct))!;
    }
}

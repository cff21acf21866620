using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.Logging;
using Npgsql;
using Xunit;

namespace Tests.Integration.Roles;

/// <summary>What the API says at its start of the login that it serves customers with.</summary>
public sealed class StartingApiTests(App app)
{
    [Fact]
    public async Task Without_a_login_of_their_own_customers_are_served_with_the_owners_rights_and_a_warning_says_so_once()
    {
        using var warnings = new Warnings();
        await using var api = Starting("", warnings);
        _ = api.Server;

        var warning = Assert.Single(warnings.Lines);
        Assert.Contains("owner's rights", warning, StringComparison.Ordinal);
        Assert.Contains("ConnectionStrings:tenantsApi", warning, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_one_there_is_nothing_to_warn_of()
    {
        using var warnings = new Warnings();
        await using var api = Starting(app.ServingConnectionString, warnings);
        _ = api.Server;

        Assert.Empty(warnings.Lines);
    }

    [Fact]
    public async Task A_login_that_nobody_made_stops_the_start_with_the_way_out()
    {
        var unmade = app.Server.AsNewLogin(app.ConnectionString);

        var said = await RefusedStart.OfApiAsync(("tenants", app.ConnectionString), ("tenantsApi", unmade));

        Assert.Contains("The migration job makes it", said, StringComparison.Ordinal);
        Assert.DoesNotContain(
            new NpgsqlConnectionStringBuilder(unmade).Password!, said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_API_that_only_reads_the_registry_does_not_start_without_the_login_that_serves()
    {
        var said = await RefusedStart.OfApiAsync(("tenantsRegistry", app.Server.AsNewLogin(app.ConnectionString)));

        Assert.Contains("ConnectionStrings:tenantsApi", said, StringComparison.Ordinal);
    }

    private WebApplicationFactory<Api.Paging> Starting(string tenants, ILoggerProvider log) =>
        new ApiFactory().WithWebHostBuilder(host => host
            .UseEnvironment("Development")
            .UseSetting("ConnectionStrings:tenants", app.ConnectionString)
            .UseSetting("ConnectionStrings:tenantsApi", tenants)
            .ConfigureLogging(logging => logging.ClearProviders().AddProvider(log)));
}

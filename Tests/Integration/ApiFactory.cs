using Api.Access;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;

namespace Tests.Integration;

/// <summary>The sample's API in this process. Its clients are the first operator, unless they change that.</summary>
public sealed class ApiFactory : WebApplicationFactory<Api.Paging>
{
    /// <summary>The first operator's key, in every test.</summary>
    public const string OperatorKey = "tko_theoperatoroftest_0000000000000000000000000000";

    protected override void ConfigureWebHost(IWebHostBuilder builder) =>
        // Tests ask more than a customer would.
        builder.UseSetting(KnownKeys.OperatorSetting, OperatorKey).UseSetting("Limits:RequestsPerSecond", "0")
            .UseSetting("Limits:Concurrent", "0");

    protected override void ConfigureClient(HttpClient client)
    {
        base.ConfigureClient(client);
        client.DefaultRequestHeaders.Authorization = new("Bearer", OperatorKey);
    }
}

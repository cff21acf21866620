using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Tenancy;
using Tests.Integration.Outage;
using Xunit;

namespace Tests.Integration.Doctor;

/// <summary>What operators get from the API.</summary>
public sealed class DoctorEndpointTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_answers_with_the_last_examination_and_examines_anew_when_asked_to()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        await using var api = await ServedApi.StartAsync(database, app.Server.AsNewLogin(database));
        var doctor = api.Services.GetRequiredService<TenancyDoctor>();
        api.Services.GetRequiredService<TenancyOptions>().Doctor.Relations = 10;

        var first = await api.Http.GetFromJsonAsync<JsonObject>("/doctor", Ct);
        var last = doctor.Last;
        var again = await api.Http.GetFromJsonAsync<JsonObject>("/doctor", Ct);

        Assert.Same(last, doctor.Last);
        Assert.True(JsonNode.DeepEquals(first, again));
        var finding = Assert.Single(first!["findings"]!.AsArray(), one => (string)one!["id"]! == "relations")!;
        Assert.Equal(("over", 10, "relations"),
            ((string)finding["verdict"]!, (int)finding["limit"]!, (string)finding["unit"]!));
        _ = await api.Http.GetStringAsync("/doctor?fresh=true", Ct);
        Assert.NotSame(last, doctor.Last);
    }
}

using System.Net;
using AppHost.Health;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Xunit;

namespace Tests.Unit.AppHost;

public sealed class ReadinessCheckTests
{
    [Fact]
    public void A_degraded_API_is_shown_as_degraded_with_its_reason() => Is(
        HealthStatus.Degraded, "fleet: 2 of 230 customers failed",
        HttpStatusCode.OK,
        """{"status":"Degraded","entries":{"self":{"status":"Healthy"},"fleet":{"status":"Degraded","description":"2 of 230 customers failed","data":{"failed":2}}}}""");

    [Fact]
    public void An_unhealthy_API_is_shown_with_its_reason() => Is(
        HealthStatus.Unhealthy, "directory: the database doesn't answer",
        HttpStatusCode.ServiceUnavailable,
        """{"status":"Unhealthy","entries":{"directory":{"status":"Unhealthy","description":"the database doesn't answer"}}}""");

    [Theory]
    [InlineData("Healthy")]
    [InlineData("""{"status":"Healthy","entries":{"self":{"status":"Healthy","description":"fine"}}}""")]
    public void A_healthy_answer_needs_no_words(string body) => Is(HealthStatus.Healthy, null, HttpStatusCode.OK, body);

    [Fact]
    public void Without_a_report_the_status_code_counts() =>
        Is(HealthStatus.Unhealthy, "/health answered 500.", HttpStatusCode.InternalServerError, "<html>");

    private static void Is(HealthStatus status, string? words, HttpStatusCode code, string body)
    {
        var read = ReadinessCheck.Read(code, body);
        Assert.Equal((status, words), (read.Status, read.Description));
    }
}

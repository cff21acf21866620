using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Xunit;

namespace Tests.EndToEnd.Hosting;

public class Order
{
    [Fact]
    public async Task A_resource_starts_when_what_it_waits_for_has_ended_or_is_healthy()
    {
        await using var app = await SmallApp.StartAsync("chain");
        await app.HealthyAsync("second");

        string[] expected = ["job: Finished", "first: Running", "second: Running"];
        Assert.Equal(expected, app.Seen.Where(expected.Contains).Distinct());
        var second = await UptimeAsync("second");
        var wait = await UptimeAsync("first") - second;
        Assert.True(wait >= 1500, $"'first' is healthy after 1500 ms, and 'second' started {wait} ms after it.");

        async Task<long> UptimeAsync(string resource) =>
            long.Parse(await app.GetAsync(resource, "/uptime"), System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task One_that_waits_for_a_start_only_does_not_wait_for_health()
    {
        await using var app = await SmallApp.StartAsync("chain");
        await app.HealthyAsync("second");
        var seen = app.Seen.ToList();

        Assert.True(seen.IndexOf("first: Running") < seen.IndexOf("eager: Running"), string.Join('\n', seen));
        Assert.True(seen.IndexOf("eager: Running") < seen.IndexOf("second: Running"), string.Join('\n', seen));
    }

    [Fact]
    public async Task One_that_waits_says_so_in_its_state()
    {
        await using var app = await SmallApp.StartAsync("chain");

        Assert.Contains("first: Waiting", app.Seen);
        Assert.Contains("second: Waiting", app.Seen);
        Assert.DoesNotContain("job: Waiting", app.Seen);
    }

    [Fact]
    public async Task A_job_that_ends_with_another_exit_code_fails_what_waits_for_its_completion()
    {
        await using var app = await SmallApp.StartAsync("codes");

        Assert.Equal(3, (await app.EndAsync("three")).ExitCode);
        await app.StateAsync("wants-zero", KnownResourceStates.FailedToStart);
    }

    [Fact]
    public async Task An_exit_code_that_is_waited_for_is_as_good_as_zero()
    {
        await using var app = await SmallApp.StartAsync("codes");

        await app.StateAsync("wants-three", KnownResourceStates.Running);
    }

    [Fact]
    public async Task What_can_not_start_fails_with_what_waits_for_it_and_the_others_run()
    {
        await using var app = await SmallApp.StartAsync("nowhere");

        await app.StateAsync("nowhere", KnownResourceStates.FailedToStart);
        await app.StateAsync("dependent", KnownResourceStates.FailedToStart);
        Assert.Equal(HealthStatus.Healthy, (await app.HealthyAsync("bystander")).HealthStatus);
    }

    [Fact]
    public async Task A_service_that_ends_by_itself_is_seen_with_its_exit_code()
    {
        await using var app = await SmallApp.StartAsync("codes");
        await app.HealthyAsync("bystander");
        await app.GetAsync("bystander", "/process");

        await app.PostAsync("bystander", "/end/7");

        Assert.Equal(7, (await app.EndAsync("bystander")).ExitCode);
    }
}

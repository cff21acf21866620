using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using global::AppHost.Failures;
using global::AppHost.Replicas;
using Xunit;

namespace Tests.Unit.AppHost;

public sealed class ReplicaCountTests
{
    [Theory]
    [InlineData("2", 2)]
    [InlineData("1", 1)]
    public void A_setting_says_how_many_processes_there_are(string setting, int count) =>
        Assert.Equal(count, Started($"--Replicas:Api={setting}").GetReplicaCount());

    [Fact]
    public void Without_a_setting_there_is_one_process() => Assert.Equal(1, Started().GetReplicaCount());

    [Theory]
    [InlineData("--Replicas:Api=0")]
    [InlineData("--Replicas:Api=two")]
    [InlineData("--Replicas:Api=17")]
    public void A_wrong_number_is_refused_before_the_start(string setting) => Assert.EndsWith(
        "Give a number of processes from 1 to 16.",
        Assert.Throws<CannotStartException>(() => Started(setting)).Message, StringComparison.Ordinal);

    [Fact]
    public void The_console_has_one_process() => Assert.StartsWith(
        "Replicas:Web can't be set: only api can have replicas.",
        Assert.Throws<CannotStartException>(() => Started("--Replicas:Web=2")).Message, StringComparison.Ordinal);

    private static ProjectResource Started(params string[] arguments)
    {
        var builder = DistributedApplication.CreateBuilder(
            new DistributedApplicationOptions { Args = arguments, DisableDashboard = true });
        var api = builder.AddResource(new ProjectResource("api")).WithConfiguredReplicas();
        builder.AddResource(new ProjectResource("web"));
        ReplicaCount.Check(builder.Configuration, new(builder.Resources));
        return api.Resource;
    }
}

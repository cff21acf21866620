using Api;
using Microsoft.AspNetCore.Builder;
using Xunit;

namespace Tests.Unit.Api;

public sealed class DevelopmentOnlyTests
{
    [Theory]
    [InlineData("http://localhost:0")]
    [InlineData("http://127.0.0.1:5410;http://[::1]:5410")]
    public void On_a_loopback_address_in_development_the_api_may_listen(string urls)
    {
        var builder = Builder("Development", $"--urls={urls}");
        builder.ListenOnLoopbackOnly();

        Assert.Equal(urls, builder.WebHost.GetSetting("urls"));
    }

    [Fact]
    public void A_bare_port_means_the_loopbacks()
    {
        var builder = Builder("Development", "--http_ports=5410");
        builder.ListenOnLoopbackOnly();

        Assert.Equal("http://localhost:5410", builder.WebHost.GetSetting("urls"));
    }

    [Theory]
    [InlineData("http://0.0.0.0:5410")]
    [InlineData("http://*:5410")]
    [InlineData("http://localhost:1;http://192.168.1.4:5410")]
    [InlineData("http://api.example.com:5410")]
    public void On_any_other_address_it_refuses_to_start(string urls) => Assert.Contains(
        "loopback", Assert.Throws<InvalidOperationException>(() =>
            Builder("Development", $"--urls={urls}").ListenOnLoopbackOnly()).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("Production")]
    [InlineData("Staging")]
    public void Outside_development_it_refuses_to_start(string environment) => Assert.Contains(
        environment, Assert.Throws<InvalidOperationException>(() =>
            Builder(environment).ListenOnLoopbackOnly()).Message, StringComparison.Ordinal);

    private static WebApplicationBuilder Builder(string environment, params string[] args) =>
        WebApplication.CreateBuilder([$"--environment={environment}", .. args]);
}

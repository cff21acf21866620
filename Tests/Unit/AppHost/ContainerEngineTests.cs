using Tenancy.Hosting.Sources;
using Microsoft.Extensions.Configuration;
using Tests.Unit.LocalServer;
using Xunit;

namespace Tests.Unit.AppHost;

public sealed class ContainerEngineTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void An_engine_that_answers_is_used() =>
        Assert.True(Answers("""[ "$*" = 'version --format {{.Server.Version}}' ] && echo 28.1.1"""));

    [Fact]
    public void A_command_line_tool_without_its_engine_is_none() =>
        Assert.False(Answers("echo 'Cannot connect to the Docker daemon' >&2; exit 1"));

    [Fact]
    public void An_engine_that_hangs_is_given_up() => Assert.False(Answers("sleep 600"));

    [Fact]
    public void A_command_that_is_not_there_is_no_engine() =>
        Assert.False(ContainerEngine.Answers(Configured(_folder["nothing"])));

    [Fact]
    public void Podman_is_asked_in_its_own_way() => Assert.True(Answers("""[ "$*" = info ]""", name: "podman"));

    public void Dispose() => _folder.Dispose();

    private bool Answers(string script, string name = "docker") =>
        ContainerEngine.Answers(Configured(_folder.Script(name, script)));

    private static IConfiguration Configured(string engine) => new ConfigurationBuilder()
        .AddInMemoryCollection([new("ASPIRE_CONTAINER_RUNTIME", engine)])
        .Build();
}

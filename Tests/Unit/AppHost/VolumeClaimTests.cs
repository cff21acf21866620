using Tenancy.Hosting.Sources;
using Tenancy.Postgres;
using Tests.Unit.LocalServer;
using Xunit;

namespace Tests.Unit.AppHost;

/// <summary>A script stands in for the container engine.</summary>
public sealed class VolumeClaimTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void A_second_AppHost_is_refused_the_volume_of_the_first()
    {
        using var first = Take("acme");

        var refused = Assert.Throws<NoPostgresException>(() => Take("acme"));

        Assert.Equal(
            """
            Another AppHost uses the data in the container volume 'acme': this AppHost seems to run already.
            Stop it first, or give this one its own data with --Postgres:DataVolume=...
            """, refused.Message, ignoreLineEndingDifferences: true);
    }

    [Fact]
    public void An_AppHost_with_another_volume_is_not_refused()
    {
        using var first = Take("acme");
        using var second = Take("globex");
    }

    [Fact]
    public void An_AppHost_that_ended_leaves_the_volume_to_the_next_one()
    {
        Take("acme").Dispose();

        using var next = Take("acme");
    }

    [Fact]
    public void A_container_that_somebody_started_by_hand_has_the_volume_for_itself()
    {
        var refused = Assert.Throws<NoPostgresException>(() =>
            Take("acme", Running("echo by-hand maintainer=somebody")));

        Assert.Contains("Another server (container by-hand) uses the data in the container volume 'acme'",
            refused.Message, StringComparison.Ordinal);
        // The refused one keeps nothing.
        using var next = Take("acme");
    }

    [Fact]
    public void A_container_that_is_being_removed_is_waited_for()
    {
        var left = _folder["left"];
        File.WriteAllText(left, "..");

        using var claim = Take("acme",
            Running(
                $"""[ ! -s '{left}' ] || echo 'postgres-abc com.microsoft.developer.usvc-dev.name=postgres-abc'; truncate --size=-1 '{left}' 2>/dev/null || :"""));

        Assert.Equal(0, new FileInfo(left).Length);
    }

    [Fact]
    public void Containers_on_other_volumes_do_not_count()
    {
        using var claim = Take("acme", Running("""[ "$3" = volume=acme ] || echo other"""));
    }

    public void Dispose() => _folder.Dispose();

    private string Running(string script) => _folder.Script("docker", $"""[ "$1" = ps ] && {script}""");

    // A tenth of the patience: the waiting itself is the same.
    private VolumeClaim Take(string volume, string? engine = null) =>
        VolumeClaim.Take(
            volume, new ContainerEngine(engine ?? _folder.Script("no users", "exit 0")), _folder["locks"], haste: 10);
}

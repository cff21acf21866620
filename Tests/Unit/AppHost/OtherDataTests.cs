using Tenancy.Hosting.Sources;
using Tenancy.Postgres.Cluster;
using Tests.Unit.LocalServer;
using Xunit;

namespace Tests.Unit.AppHost;

/// <summary>A script stands in for the container engine.</summary>
public sealed class OtherDataTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Memory => _folder["state/appHost.volume.json"];

    [Fact]
    public void Customers_in_a_volume_do_not_look_lost_while_the_engine_is_stopped()
    {
        new UsedVolume("acme", "docker", WasLast: true).Write(Memory);

        var first = Assert.Single(OtherData.InVolumes(engine: null, "acme", Memory));
        var second = Assert.Single(OtherData.InVolumes(engine: null, "acme", Memory));

        Assert.StartsWith(
            "The last run of this AppHost kept its data in the container volume 'acme', and docker doesn't answer now.",
            first, StringComparison.Ordinal);
        Assert.StartsWith("An earlier run", second, StringComparison.Ordinal);
    }

    [Fact]
    public void A_volume_beside_local_data_is_told() => Assert.Equal(
        ["The container volume 'acme' holds data of this AppHost too. This run doesn't show that data. To use it: " +
            "--Postgres:Use=container"],
        OtherData.InVolumes(Engine("acme"), "acme", Memory));

    [Fact]
    public void A_volume_of_another_name_is_told_with_its_name()
    {
        new UsedVolume("globex", "docker", WasLast: true).Write(Memory);

        var told = Assert.Single(OtherData.InVolumes(Engine("globex"), "acme", Memory));

        Assert.EndsWith("--Postgres:Use=container --Postgres:DataVolume=globex", told, StringComparison.Ordinal);
    }

    [Fact]
    public void A_volume_that_was_deleted_is_told_no_more()
    {
        new UsedVolume("acme", "docker", WasLast: true).Write(Memory);

        Assert.Empty(OtherData.InVolumes(Engine("nothing"), "acme", Memory));
        Assert.Empty(OtherData.InVolumes(engine: null, "acme", Memory));
    }

    [Fact]
    public void An_AppHost_that_never_used_a_container_is_told_nothing() =>
        Assert.Empty(OtherData.InVolumes(engine: null, "acme", Memory));

    [Fact]
    public void Local_data_is_found_in_each_of_its_places_and_an_empty_folder_is_none()
    {
        var appHost = _folder.Folder("AppHost");
        var state = _folder.Folder("state");
        Directory.CreateDirectory(Path.Combine(appHost, ".postgres"));

        Assert.Empty(DataFolder.WithData(appHost, wanted: null, state));

        Directory.CreateDirectory(Path.Combine(appHost, ".postgres/data"));
        Directory.CreateDirectory(Path.Combine(appHost, "mine/data"));
        var far = Path.Combine(state, DataFolder.Product, DataFolder.Key(appHost));
        Directory.CreateDirectory(Path.Combine(far, "data"));

        Assert.Equal([Path.Combine(appHost, "mine"), Path.Combine(appHost, ".postgres"), far],
            DataFolder.WithData(appHost, "mine", state));
    }

    public void Dispose() => _folder.Dispose();

    private ContainerEngine Engine(string volume) =>
        new(_folder.Script("docker", $"""[ "$*" = "volume inspect {volume}" ]"""));
}

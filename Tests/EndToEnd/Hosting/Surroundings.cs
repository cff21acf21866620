using Xunit;

namespace Tests.EndToEnd.Hosting;

public class Surroundings
{
    [Fact]
    public async Task A_resource_gets_what_it_refers_to_in_its_environment()
    {
        await using var app = await SmallApp.StartAsync("environment", "--ConnectionStrings:orders=Host=elsewhere;Database=orders");
        var api = app.Endpoint("api").ToString().TrimEnd('/');

        Assert.Equal("Host=elsewhere;Database=orders", await Variable("ConnectionStrings__orders"));
        Assert.Equal(api, await Variable("services__api__http__0"));
        Assert.Equal(api, await Variable("API"));
        Assert.Equal("plain", await Variable("PLAIN"));
        Assert.Equal("from the AppHost", await Variable("PARAMETER"));
        Assert.Equal("localhost/from the AppHost", await Variable("PUT_TOGETHER"));
        Assert.Equal("called with from the AppHost", await Variable("CALLED"));
        Assert.Equal("web", await Variable("OTEL_SERVICE_NAME"));
        Assert.Contains("service.instance.id=", await Variable("OTEL_RESOURCE_ATTRIBUTES"), StringComparison.Ordinal);
        Assert.Equal("""["--one","1","two words"]""", await app.GetAsync("web", "/arguments"));

        Task<string> Variable(string name) => app.GetAsync("web", $"/environment/{name}");
    }

    [Fact]
    public async Task A_project_runs_with_the_first_profile_of_its_launch_settings()
    {
        await using var app = await SmallApp.StartAsync("environment", "--ConnectionStrings:orders=Host=elsewhere");

        Assert.Equal("yes", await app.GetAsync("api", "/environment/FROM_PROFILE"));
        Assert.Equal("Development", await app.GetAsync("api", "/environment"));
    }

    [Fact]
    public async Task The_test_sees_the_connection_strings_too()
    {
        await using var app = await SmallApp.StartAsync("environment", "--ConnectionStrings:orders=Host=elsewhere");

        Assert.Equal("Host=elsewhere", await app.ConnectionStringAsync("orders"));
    }

    [Fact]
    public async Task A_generated_secret_is_the_same_in_the_next_run()
    {
        var first = await SecretAsync();
        var second = await SecretAsync();

        Assert.True(first.Length >= 32, $"{first.Length} characters");
        Assert.Equal(first, second);

        static async Task<string> SecretAsync()
        {
            await using var app = await SmallApp.StartAsync("environment", "--ConnectionStrings:orders=Host=elsewhere");
            return await app.GetAsync("web", "/environment/KEPT");
        }
    }

    [Fact]
    public async Task Two_applications_at_once_have_ports_of_their_own()
    {
        var starting = Enumerable.Range(0, 2).Select(_ => SmallApp.StartAsync("codes"));
        var apps = await Task.WhenAll(starting);

        Assert.NotEqual(apps[0].Endpoint("bystander"), apps[1].Endpoint("bystander"));
        Assert.NotEqual(await apps[0].GetAsync("bystander", "/process"), await apps[1].GetAsync("bystander", "/process"));
        foreach (var app in apps)
        {
            await app.DisposeAsync();
        }
    }
}

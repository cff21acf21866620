using Data;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Tenancy.Cli;
using Xunit;

namespace Tests.Integration.Fleet;

/// <summary>However a command ends, what runs beside it has ended before the process does.</summary>
public sealed class JobEndTests(App app)
{
    [Theory]
    [InlineData(64, "drop", "nobody", "--confirm", "nobody", "--grace-days", "-1")]
    [InlineData(64, "export", "nobody", "nobody.zip")]
    [InlineData(0, "list")]
    public async Task It_waits_for_what_runs_beside_the_command(int code, params string[] arguments)
    {
        var beside = new Beside();

        var ended = await TenancyJob.RunAsync(arguments, () =>
        {
            var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
            builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["ConnectionStrings:tenants"] = app.ConnectionString,
            });
            builder.Services.AddData(builder.Configuration).AddHostedService(_ => beside);
            return builder;
        });

        Assert.Equal((code, true), (ended, beside.Ended));
    }

    [Fact]
    public async Task Its_idle_threads_are_told_to_sleep_at_once()
    {
        await TenancyJob.RunAsync(["check"], () => Host.CreateEmptyApplicationBuilder(settings: null));

        Assert.Equal(0, AppContext.GetData("System.Threading.ThreadPool.UnfairSemaphoreSpinLimit"));
    }

    private sealed class Beside : IHostedService
    {
        public bool Ended { get; private set; }

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public async Task StopAsync(CancellationToken cancellationToken)
        {
            // As native code that hears of no token.
            await Task.Delay(200, CancellationToken.None);
            Ended = true;
        }
    }
}

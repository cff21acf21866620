using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Tests.EndToEnd.Hosting;

public class Ending
{
    // Its own output beside the tests': the copy among the tests' assemblies lacks what the tests get from a shared framework.
    private static readonly string HostAssembly = Path.GetFullPath(Path.Combine(
        AppContext.BaseDirectory, "..", "..", "ConformanceHost", new DirectoryInfo(AppContext.BaseDirectory).Name, "ConformanceHost.dll"));

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Disposing_the_application_ends_its_processes()
    {
        int process;
        await using (var app = await SmallApp.StartAsync("codes"))
        {
            process = int.Parse(await app.GetAsync("bystander", "/process"), CultureInfo.InvariantCulture);
            Assert.True(Lives(process));
        }

        await GoneAsync([process]);
    }

    [Fact]
    public async Task An_AppHost_told_to_end_exits_with_0_and_leaves_no_process()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no SIGTERM.");
        var (host, children) = await StartHostAsync();
        using (host)
        {
            using var kill = Process.Start("kill", ["-TERM", host.Id.ToString(CultureInfo.InvariantCulture)]);
            await host.WaitForExitAsync(Cancelled).WaitAsync(TimeSpan.FromSeconds(20), Cancelled);

            Assert.Equal(0, host.ExitCode);
            await GoneAsync(children);
        }
    }

    [Fact]
    public async Task An_AppHost_that_is_killed_leaves_no_process()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The resource is a shell script.");
        var (host, children) = await StartHostAsync();
        using (host)
        {
            host.Kill();
            await host.WaitForExitAsync(Cancelled);

            await GoneAsync(children);
        }
    }

    /// <summary>The AppHost as a process of its own, and the ids of the processes its one resource consists of.</summary>
    private static async Task<(Process Host, int[] Children)> StartHostAsync()
    {
        var pids = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        var start = new ProcessStartInfo("dotnet", [HostAssembly, "--scenario=sleeper", $"--pids={pids}"]);
        start.Environment["DOTNET_ENVIRONMENT"] = "Development";
        start.Environment["ASPIRE_ALLOW_UNSECURED_TRANSPORT"] = "true";
        start.Environment["ASPNETCORE_URLS"] = FreeUrl();
        start.Environment["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = FreeUrl();
        start.Environment["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"] = FreeUrl();
        var host = Process.Start(start)!;
        for (var patience = 0; !File.Exists(pids); patience++)
        {
            Assert.True(patience < 600 && !host.HasExited, "The AppHost did not start its resource.");
            await Task.Delay(100, Cancelled);
        }

        var children = (await File.ReadAllTextAsync(pids, Cancelled)).Split(' ').Select(id => int.Parse(id, CultureInfo.InvariantCulture)).ToArray();
        File.Delete(pids);
        Assert.All(children, id => Assert.True(Lives(id)));
        return (host, children);
    }

    private static async Task GoneAsync(int[] processes)
    {
        for (var patience = 0; processes.Any(Lives); patience++)
        {
            Assert.True(patience < 50, "A process of the application's is alive 5 seconds after its end.");
            await Task.Delay(100, Cancelled);
        }
    }

    private static bool Lives(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            return !process.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static string FreeUrl()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return $"http://localhost:{((IPEndPoint)listener.LocalEndpoint).Port}";
    }
}

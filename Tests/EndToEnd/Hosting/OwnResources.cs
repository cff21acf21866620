using Xunit;

namespace Tests.EndToEnd.Hosting;

public class OwnResources
{
    [Fact]
    public async Task A_server_of_our_own_kind_is_started_checked_and_announced()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The server is a shell script.");
        var folder = Directory.CreateTempSubdirectory("a server ").FullName;
        try
        {
            string? connectionString;
            await using (var app = await SmallApp.StartAsync("server", $"--folder={folder}"))
            {
                connectionString = await app.ConnectionStringAsync("server");
                var variable = await app.GetAsync("web", "/environment/ConnectionStrings__database");

                Assert.Equal($"{connectionString};Database=database", variable);
                var seen = app.Seen.ToList();
                Assert.True(seen.IndexOf("database: Running") < seen.IndexOf("web: Running"), string.Join('\n', seen));
            }

            var port = connectionString!.Split("Port=")[1];
            var log = await File.ReadAllLinesAsync(Path.Combine(folder, "log"), TestContext.Current.CancellationToken);
            Assert.Equal($"available: {connectionString}", log[0]);
            Assert.Equal("starting", log[1]);
            Assert.StartsWith("started on ", log[2], StringComparison.Ordinal);
            Assert.Equal(["ready", "stopped"], log[3..]);
            Assert.True(int.TryParse(port, out _), port);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

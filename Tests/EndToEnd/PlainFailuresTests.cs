using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Aspire.Hosting.ApplicationModel;
using Tenancy.Postgres;
using Npgsql;
using Xunit;

namespace Tests.EndToEnd;

/// <summary>What a developer reads when something fails: which resource, why, what to do.</summary>
public sealed class PlainFailuresTests(Integration.App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_job_that_refuses_its_database_says_why_and_after_the_repair_everything_starts()
    {
        Assert.SkipUnless(TestDepth.IsFull, "It waits until the AppHost gives up: at full depth only.");
        var database = new NpgsqlConnectionStringBuilder(await app.Server.ConnectionStringAsync(Ct));
        // The placeholder of tenant statements may not exist as a schema.
        await ExecuteAsync(database, "CREATE SCHEMA \"__Tenant__\"");
        using var console = new ConsoleLines();

        await using var running = await RunningApp.StartAsync(
            [$"--ConnectionStrings:tenants={database.ConnectionString}", "--Postgres:Use=connection"],
            console: console);
        Assert.Equal(2, await running.ExitCodeAsync("migrations"));
        var told = await console.SaysAsync("migrations ended with exit code 2");

        Assert.Contains("DROP SCHEMA \"__Tenant__\"", told, StringComparison.Ordinal);
        Assert.Contains("api and web wait for it", told, StringComparison.Ordinal);
        Assert.Contains("aspire resource migrations start", told, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", told, StringComparison.Ordinal);
        await running.SeenAsync("api", seen => seen.State?.Text == KnownResourceStates.FailedToStart);

        await ExecuteAsync(database, "DROP SCHEMA \"__Tenant__\"");
        Assert.True((await running.CommandAsync("migrations", "start")).Success);
        await running.HealthyAgainAsync("api");
        await running.HealthyAgainAsync("web");

        Assert.Single(console.With("What to do:"));
    }

    [Fact]
    public async Task A_database_server_that_ends_at_once_is_told_while_the_others_still_wait_for_it()
    {
        Assert.SkipUnless(TestDepth.IsFull, "It waits until the AppHost gives up: at full depth only.");
        var folder = Path.Combine(Path.GetTempPath(), $"tests-{Guid.NewGuid():n}");
        try
        {
            await (await PostgresServer.StartAsync(folder, Ct)).DisposeAsync();
            var settings = Path.Combine(folder, "data", "postgresql.conf");
            await File.AppendAllTextAsync(settings, "no_such_setting = 1\n", Ct);
            using var console = new ConsoleLines();

            await using var running = await RunningApp.BeginAsync(
                ["--Postgres:Use=local", $"--Postgres:DataFolder={folder}"], console: console);
            var told = await console.SaysAsync("postgres ended with exit code 1");

            Assert.False(running.Started.IsCompleted);
            Assert.Contains("FATAL", told, StringComparison.Ordinal);
            Assert.Contains("migrations, api and web wait for it", told, StringComparison.Ordinal);
            Assert.Contains("aspire resource postgres start", told, StringComparison.Ordinal);

            await running.RepeatAfterStartingAsync("postgres");
            await File.WriteAllTextAsync(
                settings, (await File.ReadAllTextAsync(settings, Ct)).Replace("no_such_setting = 1\n", ""), Ct);
            Assert.True((await running.CommandAsync("postgres", "start")).Success);
            await running.Started;
            await running.HealthyAgainAsync("web");
            Assert.Single(console.With("What to do:"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task A_taken_port_is_one_plain_paragraph_and_exit_code_one()
    {
        using var holder = new TcpListener(IPAddress.Loopback, 0);
        holder.Start();
        var port = ((IPEndPoint)holder.LocalEndpoint).Port;

        var (code, output) = await StartAsync(("ASPNETCORE_URLS", $"http://localhost:{port}"));

        Assert.Equal(1, code);
        Assert.Contains($"{port} (dashboard)", output, StringComparison.Ordinal);
        Assert.Contains("taken", output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
        Assert.DoesNotContain("fail:", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_orchestrator_is_one_plain_paragraph_and_exit_code_one()
    {
        var (code, output) = await StartAsync(("DcpPublisher__CliPath", "/nowhere/dcp"));

        Assert.Equal(1, code);
        Assert.Contains("/nowhere/dcp", output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stop_during_the_start_is_no_failure()
    {
        Signals.SkipWhereIgnored("TERM");
        using var appHost = Process.Start(AppHost())!;
        var output = new StringBuilder();
        // The server doesn't answer, so the job waits for it, and the start goes on until the stop.
        while (!output.ToString().Contains("Login to the dashboard", StringComparison.Ordinal))
        {
            output.AppendLine(await appHost.StandardOutput.ReadLineAsync(Ct)
                ?? throw new InvalidOperationException($"It ended: {output}"));
        }

        Process.Start("kill", ["-s", "TERM", $"{appHost.Id}"]).Dispose();
        output.Append(string.Concat(await Task.WhenAll(
            appHost.StandardOutput.ReadToEndAsync(Ct), appHost.StandardError.ReadToEndAsync(Ct))));
        await appHost.WaitForExitAsync(Ct);

        Assert.Equal(0, appHost.ExitCode);
        Assert.DoesNotContain("application started", output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("fail:", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stop_while_the_AppHost_asks_the_job_for_failed_customers_leaves_no_process()
    {
        Assert.SkipUnless(TestDepth.IsFull, "It starts the whole system: at full depth only.");
        Assert.SkipUnless(OperatingSystem.IsLinux(), "It looks for the process in /proc.");
        Signals.SkipWhereIgnored("TERM");
        var start = AppHost(("DcpPublisher__RandomizePorts", "true"));
        // The later value counts.
        start.ArgumentList.Add($"--ConnectionStrings:tenants={await app.Server.ConnectionStringAsync(Ct)}");
        using var appHost = Process.Start(start)!;
        var output = Task.WhenAll(appHost.StandardOutput.ReadToEndAsync(Ct), appHost.StandardError.ReadToEndAsync(Ct));

        int? asked;
        var started = Stopwatch.GetTimestamp();
        while ((asked = AskingFor(appHost.Id)) is null)
        {
            Assert.False(appHost.HasExited, "It ended.");
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromMinutes(3), "It doesn't ask.");
            await Task.Delay(20, Ct);
        }

        Process.Start("kill", ["-s", "TERM", $"{appHost.Id}"]).Dispose();
        await appHost.WaitForExitAsync(Ct);
        await output;

        // A zombie is one that nobody has asked for its exit code.
        var left = Directory.Exists($"/proc/{asked}") ? await File.ReadAllTextAsync($"/proc/{asked}/cmdline", Ct) : "";
        Assert.Empty(left);
    }

    /// <summary>The process of the job's command <c>status</c> that the AppHost runs.</summary>
    private static int? AskingFor(int appHost)
    {
        foreach (var process in Directory.EnumerateDirectories("/proc").Select(Path.GetFileName))
        {
            try
            {
                if (int.TryParse(process, out var id)
                    && File.ReadAllText($"/proc/{id}/cmdline").Split('\0') is var words
                    && words.Contains("status") && words.Contains("json")
                    && File.ReadAllText($"/proc/{id}/status").Contains($"PPid:\t{appHost}\n", StringComparison.Ordinal))
                {
                    return id;
                }
            }
            catch (IOException)
            {
                // It ended meanwhile.
            }
        }

        return null;
    }

    /// <summary>The AppHost as a process. It ends before it has started anything.</summary>
    private static async Task<(int Code, string Output)> StartAsync(params (string Name, string Value)[] environment)
    {
        using var appHost = Process.Start(AppHost(environment))!;
        var output = Task.WhenAll(appHost.StandardOutput.ReadToEndAsync(Ct), appHost.StandardError.ReadToEndAsync(Ct));
        await appHost.WaitForExitAsync(Ct);
        return (appHost.ExitCode, string.Concat(await output));
    }

    private static ProcessStartInfo AppHost(params (string Name, string Value)[] environment)
    {
        // A connection string, so that no server and no folder is touched.
        const string Nowhere = "--ConnectionStrings:tenants=Host=127.0.0.1;Port=1;Database=none";
        var start = new ProcessStartInfo(BuiltProgram.Host, [BuiltProgram.Of("AppHost"), Nowhere, "--Postgres:Use=connection"])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
            Environment =
            {
                ["DOTNET_ENVIRONMENT"] = "Development",
                ["ASPNETCORE_URLS"] = "http://localhost:0",
                ["ASPIRE_ALLOW_UNSECURED_TRANSPORT"] = "true",
                ["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = "http://localhost:0",
            },
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return start;
    }

    private static async Task ExecuteAsync(NpgsqlConnectionStringBuilder database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Ct);
    }
}

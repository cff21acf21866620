using Tenancy.Postgres.Cluster;
using Xunit;

namespace Tests.Integration;

/// <summary>
/// A start of the API that fails, as a process: in the tests' own process it races with the test host.
/// </summary>
internal static class RefusedStart
{
    /// <param name="settings">Connection strings by name. A name that isn't given has none.</param>
    /// <returns>What it said. The test fails when it starts, or doesn't end within a minute.</returns>
    public static async Task<string> OfApiAsync(params (string Name, string Value)[] settings)
    {
        string[] names = ["tenants", "tenantsApi", "tenantsRegistry"];
        var configured = names.Select(name =>
            $"--ConnectionStrings:{name}={settings.SingleOrDefault(setting => setting.Name == name).Value}");
        var ended = await Task.Run(() => Command.Run(
            TimeSpan.FromMinutes(1),
            [BuiltProgram.Host, BuiltProgram.Of("Api"), "--environment=Development", "--urls=http://127.0.0.1:0",
                .. configured]));

        // 128 + SIGABRT: .NET ends so when nobody catches an exception.
        Assert.Equal(134, ended.ExitCode);
        Assert.Contains("Unhandled exception. System.InvalidOperationException", ended.Output, StringComparison.Ordinal);
        return ended.Output;
    }
}

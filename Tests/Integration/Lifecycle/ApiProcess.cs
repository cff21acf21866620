using System.Diagnostics;
using System.Text.RegularExpressions;
using Xunit;

namespace Tests.Integration.Lifecycle;

/// <summary>The sample's API as a process of its own, which can be killed: a replica.</summary>
internal sealed partial class ApiProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly Process _process;
    private readonly TaskCompletionSource<string> _listening = new();

    private ApiProcess(Process process) => _process = process;

    /// <summary>Its client is the first operator.</summary>
    public HttpClient Http { get; } = new();

    /// <param name="owner">The owner's connection string.</param>
    /// <param name="serving">That of the login which serves customers.</param>
    /// <param name="settings">Further environment variables.</param>
    public static async Task<ApiProcess> StartAsync(
        string owner, string serving, params (string Name, string Value)[] settings)
    {
        var start = new ProcessStartInfo(BuiltProgram.Host)
        {
            RedirectStandardOutput = true,
            WorkingDirectory = Path.GetDirectoryName(BuiltProgram.Of("Api")),
            Environment =
            {
                ["ASPNETCORE_ENVIRONMENT"] = "Development",
                ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
                ["ConnectionStrings__tenants"] = owner,
                ["ConnectionStrings__tenantsApi"] = serving,
                ["Authentication__OperatorKey"] = ApiFactory.OperatorKey,
                ["Limits__RequestsPerSecond"] = "0",
            },
        };
        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }

        start.ArgumentList.Add(BuiltProgram.Of("Api"));
        var api = new ApiProcess(new() { StartInfo = start });
        api._process.OutputDataReceived += (_, line) =>
        {
            if (Listening().Match(line.Data ?? "") is { Success: true } found)
            {
                api._listening.TrySetResult(found.Groups[1].Value);
            }
        };
        api._process.Start();
        api._process.BeginOutputReadLine();
        api.Http.BaseAddress = new(
            await api._listening.Task.WaitAsync(Patience, TestContext.Current.CancellationToken));
        api.Http.DefaultRequestHeaders.Authorization = new("Bearer", ApiFactory.OperatorKey);
        return api;
    }

    /// <summary>At once, as <c>kill -9</c> does.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
    }

    [GeneratedRegex(@"Now listening on: (http://\S+)")]
    private static partial Regex Listening();
}

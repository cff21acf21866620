using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Tests.EndToEnd;

/// <summary>
/// The whole system, started by its AppHost as `dotnet run` does, with data that is thrown away afterwards.
/// </summary>
public sealed class RunningApp : IAsyncDisposable
{
    // A cold machine restores nothing here, but starts four processes on what may be two busy cores.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly DistributedApplication _app;

    private RunningApp(DistributedApplication app) => _app = app;

    private static CancellationToken Limit => CancellationTokenSource.CreateLinkedTokenSource(
        TestContext.Current.CancellationToken, new CancellationTokenSource(Patience).Token).Token;

    /// <param name="data">Where the data is: see <see cref="ThrowawayData"/>.</param>
    public static Task<RunningApp> StartAsync(ThrowawayData data) => StartAsync(data.Arguments);

    /// <summary>Starts it and waits until no resource waits for another any more.</summary>
    /// <param name="arguments">Those of `dotnet run --project AppHost --`.</param>
    /// <param name="dashboard">Whether the dashboard runs too.</param>
    /// <param name="console">Hears what the AppHost logs.</param>
    public static async Task<RunningApp> StartAsync(
        string[] arguments, bool dashboard = false, ILoggerProvider? console = null)
    {
        var running = await BeginAsync(arguments, dashboard, console);
        try
        {
            await running.Started;
            return running;
        }
        catch
        {
            await running.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Begins its start. The parameters are those of <see cref="StartAsync(string[],bool,ILoggerProvider?)"/>.
    /// </summary>
    public static async Task<RunningApp> BeginAsync(
        string[] arguments, bool dashboard = false, ILoggerProvider? console = null)
    {
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.AppHost>(
            new DistributedApplicationTestingBuilderOptions { EnableDashboard = dashboard }, arguments, Limit);
        // As `dotnet run` has it; the testing package lets waiters give up sooner.
        builder.Services.Configure<ResourceNotificationServiceOptions>(options =>
            options.DefaultWaitBehavior = WaitBehavior.WaitOnResourceUnavailable);
        if (console is not null)
        {
            builder.Services.AddSingleton(console);
        }

        var running = new RunningApp(await builder.BuildAsync(Limit));
        running.Started = running._app.StartAsync(Limit);
        return running;
    }

    /// <summary>Its start, which ends when no resource waits for another any more.</summary>
    public Task Started { get; private set; } = Task.CompletedTask;

    /// <summary>Without a credential.</summary>
    public HttpClient Client(string resource) => _app.CreateHttpClient(resource);

    /// <summary>Of the API, as the first operator.</summary>
    public async Task<HttpClient> OperatorAsync()
    {
        var key = _app.Services.GetRequiredService<DistributedApplicationModel>().Resources
            .OfType<ParameterResource>().Single(parameter => parameter.Name == "operator-key");
        var client = Client("api");
        client.DefaultRequestHeaders.Authorization = new("Bearer", await key.GetValueAsync(Limit));
        return client;
    }

    public async Task<string> ConnectionStringAsync() => (await _app.GetConnectionStringAsync("tenants", Limit))!;

    public Task HealthyAsync(string resource) =>
        _app.ResourceNotifications.WaitForResourceHealthyAsync(resource, Limit);

    /// <summary>Healthy, however often it has failed before.</summary>
    public Task HealthyAgainAsync(string resource) =>
        _app.ResourceNotifications.WaitForResourceHealthyAsync(resource, WaitBehavior.WaitOnResourceUnavailable, Limit);

    public async Task<int?> ExitCodeAsync(string resource) =>
        (await SeenAsync(resource, seen => seen.ExitCode is not null)).ExitCode;

    /// <summary>What the dashboard shows of a resource, as soon as it is as expected.</summary>
    public async Task<CustomResourceSnapshot> SeenAsync(string resource, Func<CustomResourceSnapshot, bool> expected) =>
        (await _app.ResourceNotifications.WaitForResourceAsync(
            resource, seen => expected(seen.Snapshot), Limit)).Snapshot;

    /// <summary>What is seen of a resource's processes, as soon as each of them is as expected.</summary>
    public async Task<ResourceEvent[]> ReplicasAsync(
        string resource, int count, Func<ResourceEvent, bool> expected)
    {
        var seen = new SortedDictionary<string, ResourceEvent>(StringComparer.Ordinal);
        await foreach (var one in _app.ResourceNotifications.WatchAsync(Limit))
        {
            if (one.Resource.Name == resource)
            {
                seen[one.ResourceId] = one;
                if (seen.Count == count && seen.Values.All(expected))
                {
                    break;
                }
            }
        }

        return [.. seen.Values];
    }

    /// <summary>Where one process of a web application listens, beside the proxy that all share.</summary>
    public static Uri AddressOf(ResourceEvent replica) => new(AppHost.Replicas.ReplicaStates.AddressOf(replica)!);

    /// <summary>Says again what the resource's state is now, after a "Starting", as the orchestrator may do.</summary>
    public async Task RepeatAfterStartingAsync(string resource)
    {
        var notifications = _app.Services.GetRequiredService<ResourceNotificationService>();
        Assert.True(notifications.TryGetCurrentState(resource, out var now));
        await notifications.PublishUpdateAsync(
            now.Resource, now.ResourceId, seen => seen with { State = KnownResourceStates.Starting });
        await notifications.PublishUpdateAsync(now.Resource, now.ResourceId, _ => now.Snapshot);
    }

    /// <summary>Runs a resource command, as a click in the dashboard does.</summary>
    /// <param name="resource">Its name.</param>
    /// <param name="command">The command's name.</param>
    /// <param name="arguments">The values of its arguments, by name.</param>
    public async Task<ExecuteCommandResult> CommandAsync(
        string resource, string command, params (string Name, string Value)[] arguments)
    {
        var inputs = new InteractionInputCollection(
            [.. arguments.Select(argument =>
                new InteractionInput { Name = argument.Name, InputType = InputType.Text, Value = argument.Value })]);
        var model = _app.Services.GetRequiredService<DistributedApplicationModel>();
        return await _app.ResourceCommands.ExecuteCommandAsync(
            model.Resources.Single(one => one.Name == resource), command, inputs, Limit);
    }

    public async Task<Uri> DashboardAsync() => (await _app.GetDashboardUrlAsync(Limit))!;

    public async Task<string> CreateCustomerAsync(string slug)
    {
        using var api = await OperatorAsync();
        using var created = await api.PostAsJsonAsync("/customers", new { slug, name = $"Customer {slug}" }, Limit);
        Assert.Equal(System.Net.HttpStatusCode.Created, created.StatusCode);
        return slug;
    }

    public async Task CreateInvoiceAsync(string slug, decimal total)
    {
        using var api = await OperatorAsync();
        api.DefaultRequestHeaders.Add("X-Customer", slug);
        using var created = await api.PostAsJsonAsync("/invoices", Integration.TestCustomer.Invoice(total), Limit);
        Assert.Equal(System.Net.HttpStatusCode.Created, created.StatusCode);
    }

    public async Task<decimal[]> InvoicesAsync(string slug)
    {
        using var api = await OperatorAsync();
        api.DefaultRequestHeaders.Add("X-Customer", slug);
        var page = await api.GetFromJsonAsync<JsonNode>("/invoices", Limit);
        return [.. page!["items"]!.AsArray().Select(invoice => (decimal)invoice!["total"]!)];
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}

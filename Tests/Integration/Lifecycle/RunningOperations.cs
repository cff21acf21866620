using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Tenancy;
using Tenancy.Operations;
using Xunit;

namespace Tests.Integration.Lifecycle;

/// <summary>An application with a process that runs operations.</summary>
internal sealed class RunningOperations(Warehouse warehouse, WaitingKind waits) : IAsyncDisposable
{
    private OperationsRunner? _runner;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public Warehouse Warehouse => warehouse;

    public WaitingKind Waits => waits;

    public TenantOperations Operations { get; } = warehouse.Services.GetRequiredService<TenantOperations>();

    public static async Task<RunningOperations> StartAsync(App app, int parallel = 2)
    {
        var waits = new WaitingKind();
        var running = new RunningOperations(
            await Warehouse.StartAsync(app, services: services => services
                .AddSingleton<OperationKind>(waits).AddSingleton<OperationKind, EchoKind>()
                .AddSingleton<OperationKind, BrokenKind>().AddSingleton<OperationKind, SlowKind>()
                .AddTenantTask("more-kinds", async (context, ct) =>
                {
                    await using var more = context.CreateCommand(
                        """INSERT INTO "__Tenant__".kinds (name) VALUES ('more')""");
                    await more.ExecuteNonQueryAsync(ct);
                })), waits);
        await running.StartAsync(parallel);
        return running;
    }

    public async Task StartAsync(int parallel = 2)
    {
        await StopAsync();
        warehouse.Services.GetRequiredService<TenancyOptions>().ParallelOperations = parallel;
        _runner = ActivatorUtilities.CreateInstance<OperationsRunner>(warehouse.Services);
        await _runner.StartAsync(Ct);
    }

    public async Task StopAsync()
    {
        if (_runner is not null)
        {
            await _runner.StopAsync(CancellationToken.None);
            _runner.Dispose();
            _runner = null;
        }
    }

    public Task<Operation> AskAsync(string kind, string? slug, JsonObject? arguments = null) =>
        Operations.AskAsync(kind, slug, "a test", arguments, ct: Ct);

    public Task<Operation> EndedAsync(Operation asked) => SeenAsync(asked, one => one.IsOver);

    public async Task<Operation> SeenAsync(Operation asked, Func<Operation, bool> expected)
    {
        Operation? seen = null;
        await Eventually.HoldsAsync(async () =>
            expected(seen = (await Operations.FindAsync(asked.Id, Ct))!));
        return seen!;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await warehouse.DisposeAsync();
    }
}

/// <summary>Waits until it is let go.</summary>
internal sealed class WaitingKind() : OperationKind("waits")
{
    public TaskCompletionSource Go { get; } = new();

    public override async Task<JsonObject?> RunAsync(OperationContext context, CancellationToken ct)
    {
        await Go.Task.WaitAsync(ct);
        return null;
    }
}

/// <summary>Writes what it reads.</summary>
internal sealed class EchoKind() : OperationKind("echo")
{
    public override async Task<JsonObject?> RunAsync(OperationContext context, CancellationToken ct)
    {
        using var read = new MemoryStream();
        await context.OpenFile().CopyToAsync(read, ct);
        read.Position = 0;
        await context.WriteFileAsync(file => read.CopyToAsync(file, 777, ct), ct);
        return null;
    }
}

/// <summary>Fails as a defect does.</summary>
internal sealed class BrokenKind() : OperationKind("broken")
{
    public override Task<JsonObject?> RunAsync(OperationContext context, CancellationToken ct) =>
        throw new InvalidTimeZoneException("a secret");
}

/// <summary>Fails as a statement does that takes longer than its time: the server is there.</summary>
internal sealed class SlowKind() : OperationKind("slow")
{
    public override Task<JsonObject?> RunAsync(OperationContext context, CancellationToken ct) =>
        throw new Npgsql.NpgsqlException("Exception while reading from stream", new TimeoutException());
}

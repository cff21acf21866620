using Tenancy;
using Tenancy.Operations;
using Xunit;

namespace Tests.Integration.Lifecycle;

/// <summary>Processes end while operations run: each is finished once, by another attempt.</summary>
public sealed class InterruptedOperationsTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_process_that_ends_gives_its_operation_back_and_another_finishes_it()
    {
        await using var running = await RunningOperations.StartAsync(app);
        var asked = await running.AskAsync("waits", "acme");
        await running.SeenAsync(asked, one => one.State == OperationState.Running);

        await running.StopAsync();
        var returned = (await running.Operations.FindAsync(asked.Id, Ct))!;
        Assert.Equal((OperationState.Queued, 0), (returned.State, returned.Attempts));
        running.Waits.Go.SetResult();
        await running.StartAsync();

        Assert.Equal((OperationState.Done, 1),
            await running.EndedAsync(asked) is var ended ? (ended.State, ended.Attempts) : default);
    }

    [Fact]
    public async Task A_dead_process_operation_is_begun_again_and_after_three_times_it_has_failed()
    {
        await using var running = await RunningOperations.StartAsync(app, parallel: 0);
        var asked = await running.AskAsync(OperationKinds.Export, "acme");
        await running.Warehouse.CreateAsync("acme", items: 1);
        for (var attempt = 1; attempt <= OperationsTable.MostAttempts; attempt++)
        {
            var (claimed, arguments) = (await running.Operations.Table.ClaimAsync(Ct))!.Value;
            Assert.Equal((asked.Id, attempt), (claimed.Id, claimed.Attempts));
            Assert.Null(await running.Operations.Table.ClaimAsync(Ct));
            await DieAsync(running, asked);
            if (attempt == 1)
            {
                var late = new OperationContext(
                    running.Operations.Table, claimed, arguments, running.Warehouse.Services);
                await AnotherTakesItAsync(running, late);
                attempt++;
            }
        }

        await running.StartAsync(parallel: 2);
        var ended = await running.EndedAsync(asked);
        Assert.Equal(OperationState.Failed, ended.State);
        Assert.Contains("3 times", ended.Error, StringComparison.Ordinal);
    }

    /// <summary>The one that was taken for dead writes nothing any more.</summary>
    private static async Task AnotherTakesItAsync(RunningOperations running, OperationContext late)
    {
        var (claimed, arguments) = (await running.Operations.Table.ClaimAsync(Ct))!.Value;
        var current = new OperationContext(running.Operations.Table, claimed, arguments, running.Warehouse.Services);
        await Assert.ThrowsAsync<OperationLostException>(() => running.Operations.Table.BeatAsync(late, Ct));
        await current.WriteFileAsync(file => file.WriteAsync(new byte[FileWriter.Part], Ct).AsTask(), Ct);
        await Assert.ThrowsAsync<OperationLostException>(() => late.WriteFileAsync(
            file => file.WriteAsync(new byte[FileWriter.Part], Ct).AsTask(), Ct));
        Assert.Equal(FileWriter.Part, await running.Operations.Table.FileLengthAsync(claimed.Id, Ct));
        await running.Operations.Table.EndAsync(late, OperationState.Done, null, null);
        Assert.Null(await running.Operations.Table.BeatAsync(current, Ct));
        await DieAsync(running, claimed);
    }

    [Fact]
    public async Task An_import_that_was_committed_before_its_process_died_is_not_made_twice()
    {
        await using var running = await RunningOperations.StartAsync(app, parallel: 0);
        var warehouse = running.Warehouse;
        await warehouse.CreateAsync("acme", items: 3);
        using var file = new MemoryStream();
        await warehouse.Transfer.ExportAsync("acme", file, Ct);
        file.Position = 0;
        var asked = await running.Operations.AskAsync(OperationKinds.Import, "copy", "a test", file: file, ct: Ct);
        var (claimed, arguments) = (await running.Operations.Table.ClaimAsync(Ct))!.Value;
        // All but the last word: the tenant is there, and nobody has written that the operation is done.
        await running.Operations.Find(OperationKinds.Import)!.RunAsync(
            new(running.Operations.Table, claimed, arguments, warehouse.Services), Ct);
        await DieAsync(running, asked);

        await running.StartAsync(parallel: 1);
        var ended = await running.EndedAsync(asked);

        Assert.Equal((OperationState.Done, 2), (ended.State, ended.Attempts));
        Assert.Equal("tenant_copy", (string?)ended.Result!["schema"]);
        Assert.Equal(2, (await warehouse.Tenants.SearchAsync(new(), Ct)).Total);
        Assert.True(await warehouse.IsCleanAsync());
    }

    [Fact]
    public async Task A_clone_that_outlasts_heartbeats_is_made_once()
    {
        await using var running = await RunningOperations.StartAsync(app);
        var warehouse = running.Warehouse;
        await warehouse.CreateAsync("acme", items: 3);
        // Longer than the time between two heartbeats, after the clone's snapshot.
        await warehouse.ExecuteAsync(
            """
            CREATE SEQUENCE public.tries;
            CREATE FUNCTION public.wait() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN PERFORM nextval('public.tries'), pg_sleep(2.5); RETURN NEW; END $$;
            CREATE TRIGGER wait BEFORE INSERT ON tenancy.tenants FOR EACH ROW EXECUTE FUNCTION public.wait()
            """);

        var clone = await running.EndedAsync(await running.AskAsync(
            OperationKinds.Clone, "acme", new() { ["newSlug"] = "sandbox" }));

        Assert.Equal((OperationState.Done, null), (clone.State, clone.Error));
        Assert.Equal(1L, await warehouse.ScalarAsync<long>("SELECT last_value FROM public.tries"));
        Assert.Equal(3L, await warehouse.ScalarAsync<long>("SELECT count(*) FROM tenant_sandbox.items"));
    }

    [Fact]
    public async Task A_cancel_counts_although_the_process_ends_before_it_notices()
    {
        await using var running = await RunningOperations.StartAsync(app);
        var stopped = await running.AskAsync("waits", "acme");
        await running.SeenAsync(stopped, one => one.State == OperationState.Running);
        Assert.True(await running.Operations.CancelAsync(stopped.Id, "somebody", Ct));
        await running.StopAsync();
        Assert.Equal(OperationState.Cancelled, (await running.Operations.FindAsync(stopped.Id, Ct))!.State);

        var killed = await running.AskAsync("echo", "acme");
        Assert.Equal(killed.Id, (await running.Operations.Table.ClaimAsync(Ct))!.Value.Operation.Id);
        Assert.True(await running.Operations.CancelAsync(killed.Id, "somebody", Ct));
        await DieAsync(running, killed);
        await running.StartAsync();

        Assert.Equal(OperationState.Cancelled, (await running.EndedAsync(killed)).State);
    }

    [Fact]
    public async Task What_cannot_be_cleaned_keeps_nothing_waiting()
    {
        await using var running = await RunningOperations.StartAsync(app);
        var old = await running.EndedAsync(await running.Operations.AskAsync(
            "echo", "acme", "a test", file: new MemoryStream([1]), ct: Ct));
        await running.Warehouse.ExecuteAsync(
            $"""
            UPDATE tenancy.operations SET ended_at = ended_at - interval '2 days' WHERE id = '{old.Id}';
            CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE 'not now'; END $$;
            CREATE TRIGGER refuse BEFORE DELETE ON tenancy.operation_files
                FOR EACH ROW WHEN (OLD.operation = '{old.Id}') EXECUTE FUNCTION public.refuse()
            """);

        // It cleans at its start.
        await running.StartAsync();
        var next = await running.EndedAsync(await running.AskAsync("echo", "acme"));

        Assert.Equal(OperationState.Done, next.State);
        Assert.Equal(1L, await running.Operations.Table.FileLengthAsync(old.Id, Ct));
    }

    private static Task DieAsync(RunningOperations running, Operation operation) => running.Warehouse.ExecuteAsync(
        "UPDATE tenancy.operations SET heartbeat_at = clock_timestamp() - interval '1 minute' " +
        $"WHERE id = '{operation.Id}'");
}

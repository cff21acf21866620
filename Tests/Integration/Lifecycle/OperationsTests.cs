using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Tenancy;
using Tenancy.Operations;
using Xunit;

namespace Tests.Integration.Lifecycle;

/// <summary>What takes long: asked for, followed, cancelled, and finished whatever ends in between.</summary>
public sealed class OperationsTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_export_has_its_file_and_an_import_makes_the_same_tenant_of_it()
    {
        await using var running = await RunningAsync();
        var warehouse = running.Warehouse;
        var acme = await warehouse.CreateAsync("acme", items: 30);

        var export = await running.EndedAsync(await AskAsync(running, OperationKinds.Export, "acme"));
        Assert.Equal((OperationState.Done, 1), (export.State, export.Attempts));
        Assert.Equal(30, (int)export.Result!["rows"]!["items"]!);
        var (file, length) = (await running.Operations.OpenFileAsync(export.Id, Ct))!.Value;
        Assert.Equal((length, length), (export.Done, (await BytesAsync(file)).LongLength));

        var import = await running.EndedAsync(await running.Operations.AskAsync(OperationKinds.Import, "copy",
            "a test", new() { ["name"] = "A copy" }, (await running.Operations.OpenFileAsync(export.Id, Ct))!.Value.File,
            ct: Ct));
        Assert.Equal((OperationState.Done, null), (import.State, import.Error));
        Assert.Equal((length, length), (import.Done, import.Total));
        await Eventually.HoldsAsync(async () => await warehouse.ScalarAsync<long>(
            $"SELECT count(*) FROM tenancy.operation_files WHERE operation = '{import.Id}'") == 0);
        var clone = await running.EndedAsync(await AskAsync(running, OperationKinds.Clone, "acme",
            new() { ["newSlug"] = "sandbox" }));
        Assert.Equal(OperationState.Done, clone.State);
        var stored = await warehouse.DescribeAsync(acme.Schema);
        Assert.Equal(stored, await warehouse.DescribeAsync(SchemaName.Parse((string)import.Result!["schema"]!)));
        Assert.Equal(stored, await warehouse.DescribeAsync(SchemaName.Parse((string)clone.Result!["schema"]!)));
        Assert.Equal("A copy", (await warehouse.Tenants.FindSummaryAsync("copy", Ct))!.Entry.Name);
        Assert.Equal([clone.Id, export.Id],
            (await running.Operations.ListAsync(new() { Slug = "acme" }, Ct)).Select(one => one.Id));
    }

    [Fact]
    public async Task What_concerns_all_tenants_says_what_came_of_it()
    {
        await using var running = await RunningAsync();
        var warehouse = running.Warehouse;
        await warehouse.CreateAsync("acme", items: 1);
        await warehouse.CreateAsync("globex", items: 1);
        await warehouse.ExecuteAsync("ALTER TABLE tenant_acme.items ADD by_hand int");
        await warehouse.ExecuteAsync("UPDATE tenancy.schemas SET version = '', last_error = 'x' WHERE schema = 'tenant_globex'");
        await warehouse.ExecuteAsync("DELETE FROM tenant_globex.\"__EFMigrationsHistory\" WHERE \"MigrationId\" LIKE '%Colors'");

        var verify = await running.EndedAsync(await AskAsync(running, OperationKinds.Verify, null));
        var drifted = Assert.Single(verify.Result!["drifted"]!.AsArray(), one => (string)one!["schema"]! == "tenant_acme");
        Assert.Contains("by_hand", drifted!["differences"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.False((bool)verify.Result["isClean"]!);

        var retry = await running.EndedAsync(await AskAsync(running, OperationKinds.Retry, null));
        // The column is there already: the migration fails, and the operation says so.
        Assert.Equal(OperationState.Failed, retry.State);
        Assert.Contains("tenant_globex", retry.Error, StringComparison.Ordinal);
        Assert.Equal(1, (int)retry.Result!["failed"]!.AsArray().Count);
        Assert.Equal("retry", await warehouse.ScalarAsync<string>(
            $"SELECT kind FROM tenancy.runs WHERE id = '{retry.Result["run"]}'"));
        await warehouse.ExecuteAsync("ALTER TABLE tenant_globex.items DROP COLUMN color");
        var again = await running.EndedAsync(await AskAsync(running, OperationKinds.Migrate, null,
            new() { ["slugs"] = new JsonArray("globex") }));
        Assert.Equal((OperationState.Done, 1), (again.State, (int)again.Result!["migrated"]!));

        var task = await running.EndedAsync(await AskAsync(running, OperationKinds.Task, null,
            new() { ["task"] = "more-kinds" }));
        Assert.Equal((OperationState.Done, 2), (task.State, (int)task.Result!["migrated"]!));
        Assert.Equal(1L, await warehouse.ScalarAsync<long>("SELECT count(*) FROM tenant_acme.kinds WHERE name = 'more'"));

        await warehouse.Removal.DropAsync("acme", "acme", TimeSpan.Zero, Ct);
        var reconciled = await running.EndedAsync(await AskAsync(running, OperationKinds.Reconcile, null));
        Assert.Equal("tenant_acme", (string?)Assert.Single(reconciled.Result!["removed"]!.AsArray()));
    }

    [Fact]
    public async Task What_cant_be_done_fails_with_words_and_leaves_nothing()
    {
        await using var running = await RunningAsync();
        await running.Warehouse.CreateAsync("acme", items: 1);

        foreach (var (kind, slug, arguments, file, words) in new (string, string?, JsonObject?, string?, string)[]
        {
            (OperationKinds.Import, "copy", null, "no ZIP archive", "export"),
            (OperationKinds.Import, "acme", null, "no ZIP archive", "taken"),
            (OperationKinds.Import, "copy", null, null, "export"),
            (OperationKinds.Export, "nobody", null, null, "nobody"),
            (OperationKinds.Clone, "acme", new() { ["newSlug"] = "acme" }, null, "taken"),
            (OperationKinds.Clone, "acme", new() { ["newSlug"] = "No Slug" }, null, "No Slug"),
            (OperationKinds.Task, null, new() { ["task"] = "none" }, null, "more-kinds"),
            (OperationKinds.Migrate, null, new() { ["slugs"] = new JsonArray("nobody") }, null, "nobody"),
            ("broken", null, null, null, "log"),
        })
        {
            var stream = file is null ? null : new MemoryStream(Encoding.UTF8.GetBytes(file));
            var ended = await running.EndedAsync(
                await running.Operations.AskAsync(kind, slug, "a test", arguments, stream, ct: Ct));
            Assert.Equal((kind, OperationState.Failed), (kind, ended.State));
            Assert.Contains(words, ended.Error, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("a secret", ended.Error, StringComparison.Ordinal);
        }

        Assert.Equal(1, (await running.Warehouse.Tenants.SearchAsync(new(), Ct)).Total);
        Assert.True(await running.Warehouse.IsCleanAsync());
        await Assert.ThrowsAsync<ArgumentException>(() => AskAsync(running, "no-such-kind", null));
        await Assert.ThrowsAsync<TenantTransferException>(() => running.Operations.AskAsync(
            OperationKinds.Import, "copy", "a test", file: new MemoryStream(new byte[11]), mostBytes: 10, ct: Ct));
    }

    [Fact]
    public async Task One_that_waits_and_one_that_runs_can_be_cancelled_and_one_that_has_ended_cannot()
    {
        await using var running = await RunningAsync(parallel: 1);
        var first = await AskAsync(running, "waits", "first");
        await running.SeenAsync(first, one => one.State == OperationState.Running);
        var second = await AskAsync(running, "waits", "second");

        Assert.True(await running.Operations.CancelAsync(second.Id, "somebody", Ct));
        Assert.Equal((OperationState.Cancelled, "somebody"),
            await running.Operations.FindAsync(second.Id, Ct) is var waited ? (waited!.State, waited.Cancel) : default);
        Assert.True(await running.Operations.CancelAsync(first.Id, "somebody", Ct));
        Assert.Equal(OperationState.Cancelled, (await running.EndedAsync(first)).State);
        Assert.False(await running.Operations.CancelAsync(first.Id, "somebody", Ct));
        Assert.False(await running.Operations.CancelAsync(Guid.NewGuid(), "somebody", Ct));
    }

    [Fact]
    public async Task What_waits_for_all_tenants_is_not_asked_for_twice()
    {
        await using var running = await RunningAsync(parallel: 0);

        var first = await AskAsync(running, OperationKinds.Verify, null);
        Assert.Equal(first.Id, (await AskAsync(running, OperationKinds.Verify, null)).Id);
        Assert.NotEqual(first.Id, (await AskAsync(running, OperationKinds.Verify, null,
            new() { ["slugs"] = new JsonArray("acme") })).Id);
        Assert.NotEqual((await AskAsync(running, OperationKinds.Export, "acme")).Id,
            (await AskAsync(running, OperationKinds.Export, "acme")).Id);
    }

    [Fact]
    public async Task A_process_that_ends_gives_its_operation_back_and_another_finishes_it()
    {
        await using var running = await RunningAsync();
        var asked = await AskAsync(running, "waits", "acme");
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
        await using var running = await RunningAsync(parallel: 0);
        var asked = await AskAsync(running, OperationKinds.Export, "acme");
        await running.Warehouse.CreateAsync("acme", items: 1);
        for (var attempt = 1; attempt <= OperationsTable.MostAttempts; attempt++)
        {
            var (claimed, arguments) = (await running.Operations.Table.ClaimAsync(Ct))!.Value;
            Assert.Equal((asked.Id, attempt), (claimed.Id, claimed.Attempts));
            Assert.Null(await running.Operations.Table.ClaimAsync(Ct));
            await DieAsync(running, asked);
            if (attempt == 1)
            {
                var late = new OperationContext(running.Operations.Table, claimed, arguments, running.Warehouse.Services);
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
    private static async Task AnotherTakesItAsync(Running running, OperationContext late)
    {
        var (claimed, arguments) = (await running.Operations.Table.ClaimAsync(Ct))!.Value;
        var current = new OperationContext(running.Operations.Table, claimed, arguments, running.Warehouse.Services);
        await Assert.ThrowsAsync<OperationLostException>(() => running.Operations.Table.BeatAsync(late, Ct));
        await Assert.ThrowsAsync<OperationLostException>(() => late.WriteFileAsync(
            file => file.WriteAsync(new byte[FileWriter.Part], Ct).AsTask(), Ct));
        await running.Operations.Table.EndAsync(late, OperationState.Done, null, null);
        Assert.Null(await running.Operations.Table.BeatAsync(current, Ct));
        await DieAsync(running, claimed);
    }

    [Fact]
    public async Task An_import_that_was_committed_before_its_process_died_is_not_made_twice()
    {
        await using var running = await RunningAsync(parallel: 0);
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

    [Theory]
    [InlineData(1)]
    [InlineData(FileWriter.Part - 1)]
    [InlineData(FileWriter.Part)]
    [InlineData(2 * FileWriter.Part + 1)]
    public async Task A_file_of_any_length_is_stored_as_it_is(int length)
    {
        await using var running = await RunningAsync();
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);

        var ended = await running.EndedAsync(await running.Operations.AskAsync(
            "echo", "acme", "a test", file: new MemoryStream(bytes), ct: Ct));

        Assert.Equal((OperationState.Done, (long)length), (ended.State, ended.Done));
        var (file, stored) = (await running.Operations.OpenFileAsync(ended.Id, Ct))!.Value;
        Assert.Equal(length, stored);
        Assert.Equal(Convert.ToHexString(bytes), Convert.ToHexString(await BytesAsync(file)));
    }

    [Fact]
    public async Task Files_are_kept_for_a_day_and_operations_for_a_week()
    {
        await using var running = await RunningAsync();
        await running.Warehouse.CreateAsync("acme", items: 1);
        var export = await running.EndedAsync(await AskAsync(running, OperationKinds.Export, "acme"));

        foreach (var (age, hasFile, exists) in new[] { ("23 hours", true, true), ("25 hours", false, true),
            ("8 days", false, false) })
        {
            await running.Warehouse.ExecuteAsync(
                $"UPDATE tenancy.operations SET ended_at = clock_timestamp() - interval '{age}'");
            await running.Operations.Table.ExpireAsync(
                OperationsRunner.FilesKept, OperationsRunner.OperationsKept, Ct);
            Assert.Equal((age, hasFile), (age, await running.Operations.OpenFileAsync(export.Id, Ct) is not null));
            Assert.Equal((age, exists), (age, await running.Operations.FindAsync(export.Id, Ct) is not null));
        }
    }

    private static Task<Operation> AskAsync(
        Running running, string kind, string? slug, JsonObject? arguments = null) =>
            running.Operations.AskAsync(kind, slug, "a test", arguments, ct: Ct);

    private static Task DieAsync(Running running, Operation operation) => running.Warehouse.ExecuteAsync(
        $"UPDATE tenancy.operations SET heartbeat_at = clock_timestamp() - interval '1 minute' WHERE id = '{operation.Id}'");

    private static async Task<byte[]> BytesAsync(Stream file)
    {
        using var bytes = new MemoryStream();
        await file.CopyToAsync(bytes, Ct);
        return bytes.ToArray();
    }

    private async Task<Running> RunningAsync(int parallel = 2)
    {
        var waits = new Waits();
        var running = new Running(
            await Warehouse.StartAsync(app, services: services => services
                .AddSingleton<OperationKind>(waits).AddSingleton<OperationKind, Echo>()
                .AddSingleton<OperationKind, Broken>().AddTenantTask("more-kinds", async (context, ct) =>
                {
                    await using var more = context.CreateCommand(
                        """INSERT INTO "__Tenant__".kinds (name) VALUES ('more')""");
                    await more.ExecuteNonQueryAsync(ct);
                })), waits);
        await running.StartAsync(parallel);
        return running;
    }

    /// <summary>An application with a process that runs operations.</summary>
    private sealed class Running(Warehouse warehouse, Waits waits) : IAsyncDisposable
    {
        private OperationsRunner? _runner;

        public Warehouse Warehouse => warehouse;

        public Waits Waits => waits;

        public TenantOperations Operations { get; } = warehouse.Services.GetRequiredService<TenantOperations>();

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

    private sealed class Waits() : OperationKind("waits")
    {
        public TaskCompletionSource Go { get; } = new();

        public override async Task<JsonObject?> RunAsync(OperationContext context, CancellationToken ct)
        {
            await Go.Task.WaitAsync(ct);
            return null;
        }
    }

    private sealed class Echo() : OperationKind("echo")
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

    private sealed class Broken() : OperationKind("broken")
    {
        public override Task<JsonObject?> RunAsync(OperationContext context, CancellationToken ct) =>
            throw new InvalidTimeZoneException("a secret");
    }
}

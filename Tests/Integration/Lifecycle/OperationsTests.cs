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
        await using var running = await RunningOperations.StartAsync(app);
        var warehouse = running.Warehouse;
        var acme = await warehouse.CreateAsync("acme", items: 30);

        var export = await running.EndedAsync(await running.AskAsync(OperationKinds.Export, "acme"));
        Assert.Equal((OperationState.Done, 1), (export.State, export.Attempts));
        Assert.Equal(30, (int)export.Result!["rows"]!["items"]!);
        var (file, length) = (await running.Operations.OpenFileAsync(export.Id, Ct))!.Value;
        Assert.Equal((length, length), (export.Done, (await BytesAsync(file)).LongLength));

        var import = await running.EndedAsync(await running.Operations.AskAsync(OperationKinds.Import, "copy",
            "a test", new() { ["name"] = "A copy" },
            (await running.Operations.OpenFileAsync(export.Id, Ct))!.Value.File, ct: Ct));
        Assert.Equal((OperationState.Done, null), (import.State, import.Error));
        Assert.Equal((length, length), (import.Done, import.Total));
        await Eventually.HoldsAsync(async () => await warehouse.ScalarAsync<long>(
            $"SELECT count(*) FROM tenancy.operation_files WHERE operation = '{import.Id}'") == 0);
        var clone = await running.EndedAsync(await running.AskAsync(OperationKinds.Clone, "acme",
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
        await using var running = await RunningOperations.StartAsync(app);
        var warehouse = running.Warehouse;
        await warehouse.CreateAsync("acme", items: 1);
        await warehouse.CreateAsync("globex", items: 1);
        await warehouse.ExecuteAsync("ALTER TABLE tenant_acme.items ADD by_hand int");
        await warehouse.ExecuteAsync(
            """
            UPDATE tenancy.schemas SET version = '', last_error = 'x' WHERE schema = 'tenant_globex';
            DELETE FROM tenant_globex."__EFMigrationsHistory" WHERE "MigrationId" LIKE '%Colors'
            """);

        var verify = await running.EndedAsync(await running.AskAsync(OperationKinds.Verify, null));
        var drifted = Assert.Single(
            verify.Result!["drifted"]!.AsArray(), one => (string)one!["schema"]! == "tenant_acme");
        Assert.Contains("by_hand", drifted!["differences"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("acme", (string?)drifted["slug"]);
        Assert.False((bool)verify.Result["isClean"]!);

        var retry = await running.EndedAsync(await running.AskAsync(OperationKinds.Retry, null));
        // The column is there already: the migration fails, and the operation says so.
        Assert.Equal(OperationState.Failed, retry.State);
        Assert.Contains("tenant_globex", retry.Error, StringComparison.Ordinal);
        Assert.Equal("globex", (string?)Assert.Single(retry.Result!["failed"]!.AsArray())!["slug"]);
        Assert.Equal("retry", await warehouse.ScalarAsync<string>(
            $"SELECT kind FROM tenancy.runs WHERE id = '{retry.Result["run"]}'"));
        await warehouse.ExecuteAsync("ALTER TABLE tenant_globex.items DROP COLUMN color");
        var again = await running.EndedAsync(await running.AskAsync(OperationKinds.Migrate, null,
            new() { ["slugs"] = new JsonArray("globex") }));
        Assert.Equal((OperationState.Done, 1), (again.State, (int)again.Result!["migrated"]!));

        var task = await running.EndedAsync(await running.AskAsync(OperationKinds.Task, null,
            new() { ["task"] = "more-kinds" }));
        Assert.Equal((OperationState.Done, 2), (task.State, (int)task.Result!["migrated"]!));
        Assert.Equal(1L, await warehouse.ScalarAsync<long>(
            "SELECT count(*) FROM tenant_acme.kinds WHERE name = 'more'"));

        await warehouse.Removal.DropAsync("acme", "acme", TimeSpan.Zero, Ct);
        var reconciled = await running.EndedAsync(await running.AskAsync(OperationKinds.Reconcile, null));
        Assert.Equal("tenant_acme", (string?)Assert.Single(reconciled.Result!["removed"]!.AsArray()));
    }

    [Fact]
    public async Task What_cant_be_done_fails_with_words_and_leaves_nothing()
    {
        await using var running = await RunningOperations.StartAsync(app);
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
            (OperationKinds.Migrate, null, new() { ["slugs"] = new JsonArray() }, null, "names no tenant"),
            (OperationKinds.Down, null, null, null, "say down to which"),
            (OperationKinds.Down, null, new() { ["to"] = "0" }, null, "name all that are taken back"),
            (OperationKinds.Down, null, new() { ["to"] = "0", ["migrations"] = new JsonArray("other") }, null,
                "others were named"),
            ("broken", null, null, null, "log"),
            ("slow", null, null, null, "reached its time limit"),
        })
        {
            var stream = file is null ? null : new MemoryStream(Encoding.UTF8.GetBytes(file));
            var ended = await running.EndedAsync(
                await running.Operations.AskAsync(kind, slug, "a test", arguments, stream, ct: Ct));
            Assert.Equal((kind, OperationState.Failed, 1), (kind, ended.State, ended.Attempts));
            Assert.Contains(words, ended.Error, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("a secret", ended.Error, StringComparison.Ordinal);
        }

        // What was confirmed is done, unless somebody has migrated since.
        var all = running.Warehouse.Services.GetRequiredService<CompiledMigrations>().Ids;
        var back = new JsonObject { ["to"] = "0", ["migrations"] = new JsonArray([.. all.Select(id => (JsonNode?)id)]) };
        var allowed = await running.EndedAsync(
            await running.Operations.AskAsync(OperationKinds.Down, null, "a test", back.DeepClone().AsObject(), ct: Ct));
        Assert.Contains("Warehouse can't be taken back", allowed.Error, StringComparison.Ordinal);
        await running.Warehouse.ExecuteAsync(
            """
            INSERT INTO tenancy.runs (id, kind, asked_by, target, total, started_at, ended_at, outcome)
            VALUES (gen_random_uuid(), 'migrate', 'another', '', 0, clock_timestamp() + interval '1 hour', now(), 'done')
            """);
        var late = await running.EndedAsync(
            await running.Operations.AskAsync(OperationKinds.Down, null, "a test", back, ct: Ct));
        Assert.Contains("migrated after this was asked for", late.Error, StringComparison.Ordinal);

        Assert.Equal(1, (await running.Warehouse.Tenants.SearchAsync(new(), Ct)).Total);
        Assert.True(await running.Warehouse.IsCleanAsync());
        await Assert.ThrowsAsync<ArgumentException>(() => running.AskAsync("no-such-kind", null));
        await Assert.ThrowsAsync<TenantTransferException>(() => running.Operations.AskAsync(
            OperationKinds.Import, "copy", "a test", file: new MemoryStream(new byte[11]), mostBytes: 10, ct: Ct));
    }

    [Fact]
    public async Task One_that_waits_and_one_that_runs_can_be_cancelled_and_one_that_has_ended_cannot()
    {
        await using var running = await RunningOperations.StartAsync(app, parallel: 1);
        var first = await running.AskAsync("waits", "first");
        await running.SeenAsync(first, one => one.State == OperationState.Running);
        var second = await running.AskAsync("waits", "second");

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
        await using var running = await RunningOperations.StartAsync(app, parallel: 0);

        var first = await running.AskAsync(OperationKinds.Verify, null);
        Assert.Equal(first.Id, (await running.AskAsync(OperationKinds.Verify, null)).Id);
        Assert.NotEqual(first.Id, (await running.AskAsync(OperationKinds.Verify, null,
            new() { ["slugs"] = new JsonArray("acme") })).Id);
        Assert.NotEqual((await running.AskAsync(OperationKinds.Export, "acme")).Id,
            (await running.AskAsync(OperationKinds.Export, "acme")).Id);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(FileWriter.Part - 1)]
    [InlineData(FileWriter.Part)]
    [InlineData(2 * FileWriter.Part + 1)]
    public async Task A_file_of_any_length_is_stored_as_it_is(int length)
    {
        await using var running = await RunningOperations.StartAsync(app);
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
        await using var running = await RunningOperations.StartAsync(app);
        await running.Warehouse.CreateAsync("acme", items: 1);
        var export = await running.EndedAsync(await running.AskAsync(OperationKinds.Export, "acme"));

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

    private static async Task<byte[]> BytesAsync(Stream file)
    {
        using var bytes = new MemoryStream();
        await file.CopyToAsync(bytes, Ct);
        return bytes.ToArray();
    }
}

using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tenancy;
using Xunit;

namespace Tests.Integration.Lifecycle;

/// <summary>An import trusts nothing in a file, and makes nothing of one that it refuses.</summary>
public sealed class HostileFilesTests(App app) : IAsyncLifetime
{
    private Warehouse _warehouse = null!;
    private byte[] _file = [];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _warehouse = await Warehouse.StartAsync(app);
        await _warehouse.CreateAsync("acme", items: 5);
        using var file = new MemoryStream();
        await _warehouse.Transfer.ExportAsync("acme", file, Ct);
        _file = file.ToArray();
    }

    public ValueTask DisposeAsync() => _warehouse.DisposeAsync();

    [Fact]
    public async Task A_file_that_isnt_an_export_is_refused()
    {
        foreach (var content in new[]
            { [], "PK"u8.ToArray(), Encoding.UTF8.GetBytes(new string('x', 5000)), _file[..^200] })
        {
            await RefusedAsync(content, "export");
        }

        await RefusedAsync(Changed(entries => entries.Remove("manifest.json")), "has no manifest.json");
        foreach (var manifest in new[] { "", "null", "[]", "{}", "{\"format\":1}", new string('[', 5000) })
        {
            await RefusedAsync(
                Changed(entries => entries["manifest.json"] = Encoding.UTF8.GetBytes(manifest)), "isn't a tenant's export");
        }
    }

    [Fact]
    public async Task A_newer_format_a_newer_version_and_an_unknown_one_are_refused()
    {
        await RefusedAsync(With(manifest =>
        {
            manifest["formatVersion"] = 2;
            manifest["something"] = "new";
        }), "format version 2");
        await RefusedAsync(With(manifest => manifest["format"] = "another"), "isn't a tenant's export");
        await RefusedAsync(With(manifest => manifest["something"] = "new"), "isn't a tenant's export");
        await RefusedAsync(
            With(manifest => manifest["migrations"]!.AsArray().Add("20990101000000_Future")), "20990101000000_Future");
        await RefusedAsync(
            With(manifest => manifest["migrations"] = new JsonArray((JsonNode?)null)), "isn't a tenant's export");
        // Tables that those migrations don't make.
        await RefusedAsync(With(manifest => manifest["migrations"] = new JsonArray()), "tables");
    }

    [Fact]
    public async Task Names_come_from_the_model_and_never_from_the_file()
    {
        const string Attack = "kinds\"; DROP TABLE tenancy.tenants; --";
        await RefusedAsync(With(manifest => Table(manifest, "kinds")["name"] = Attack), "tables");
        await RefusedAsync(With(manifest => Table(manifest, "kinds")["name"] = "KINDS"), "tables");
        await RefusedAsync(With(manifest => Table(manifest, "kinds")["name"] = "__EFMigrationsHistory"), "tables");
        await RefusedAsync(With(manifest => Table(manifest, "kinds")["name"] = "items"), "tables");
        await RefusedAsync(
            With(manifest => manifest["tables"]!.AsArray().Add(Table(manifest, "kinds").DeepClone())), "twice");
        await RefusedAsync(
            With(manifest => Table(manifest, "kinds")["columns"] = new JsonArray("id", Attack)), "columns");
        await RefusedAsync(
            With(manifest => Table(manifest, "kinds")["columns"] = new JsonArray("id", "id")), "columns");
        await RefusedAsync(With(manifest => Table(manifest, "kinds")["columns"] = new JsonArray("id")), "columns");
        await RefusedAsync(
            With(manifest => Sequence(manifest, "numbers")["name"] = "numbers'::text); DROP SCHEMA tenancy; --"), "sequences");
        await RefusedAsync(With(manifest => Table(manifest, "kinds")["data"] = "../../etc/passwd"), "lacks the rows");
        // What a name looks like in a message can't be a line of its own, or a page.
        var shown = await RefusedAsync(
            With(manifest => Table(manifest, "kinds")["name"] = $"a\nb{new string('x', 9000)}"), "tables");
        Assert.True(shown.Length < 500 && !shown.Contains('\n', StringComparison.Ordinal));
    }

    [Fact]
    public async Task Rows_that_arent_what_the_manifest_says_are_refused()
    {
        var rows = Encoding.UTF8.GetBytes("1\tby the migration\n2\ta kind\n3\tof acme\n");
        await RefusedAsync(Changed(entries => entries["data/3.copy"] = rows[..^1]), "aren't those that were exported");
        await RefusedAsync(Changed(entries => entries["data/3.copy"] = [.. rows, .. "4\tmore\n"u8]), "aren't those");
        // Ends the COPY before its data ends.
        await RefusedAsync(Rows("1\tby the migration\n\\.\n2\ta kind\n3\tof acme\n"), "");
        await RefusedAsync(Rows("1\tby the migration\n2\ta kind\nthree\tof acme\n"), "can't be stored");
        await RefusedAsync(Rows("1\tby the migration\n1\ta kind\n3\tof acme\n"), "can't be stored");
        await RefusedAsync(Rows("1\tby the migration\n2\ta \0kind\n3\tof acme\n"), "can't be stored");
        await RefusedAsync(
            Rows("1\tby the migration\n2\ta \u00ff kind\n3\tof acme\n", Encoding.Latin1), "can't be stored");
        // Items of a kind, or with a main part, that isn't there: these keys are checked when all rows are.
        await RefusedAsync(Rows("7\tby the migration\n8\ta kind\n9\tof acme\n"), "fit together");
        await RefusedAsync(Rows("", table: "parts"), "fit together");
        await RefusedAsync(
            With(manifest => Sequence(manifest, "kinds_id_seq")["lastValue"] = long.MaxValue), "can't stand");
        await RefusedAsync(With(manifest => Sequence(manifest, "kinds_id_seq")["lastValue"] = -1), "can't stand");
    }

    [Fact]
    public async Task A_sequence_that_stands_before_its_rows_is_moved_past_them()
    {
        var content = With(manifest => Sequence(manifest, "kinds_id_seq")["lastValue"] = 1);

        var imported = await _warehouse.Transfer.ImportAsync(new MemoryStream(content), "restored", ct: Ct);

        Assert.Equal(4L, await _warehouse.ScalarAsync<long>($"SELECT nextval('{imported.Tenant.Schema}.kinds_id_seq')"));
    }

    [Fact]
    public async Task A_file_that_becomes_too_much_is_refused()
    {
        await RefusedAsync(_file, "rows", new() { Rows = 10 });
        await RefusedAsync(_file, "bytes", new() { Bytes = 100 });
        await RefusedAsync(_file, "bytes", new() { FileBytes = 100 });
        await RefusedAsync(With(manifest => Table(manifest, "kinds")["rows"] = long.MaxValue), "rows");
        await RefusedAsync(With(manifest => Table(manifest, "kinds")["rows"] = -1), "isn't a tenant's export");
        // It claims little, and is 150 MB in a few kilobytes.
        var long150 = new byte[150 << 20];
        Array.Fill(long150, (byte)'x');
        await RefusedAsync(Changed(entries => entries["data/3.copy"] = long150), "times longer");
        await RefusedAsync(
            Changed(entries => entries["manifest.json"] = [.. "{\"format\":\""u8, .. new byte[20 << 20]]), "allowed");
        await RefusedAsync(Rows(string.Concat(Enumerable.Repeat("1\tx\n", 5000))), "rows", new() { Rows = 1000 });
    }

    private async Task<string> RefusedAsync(byte[] content, string why, TenantImportLimits? limits = null)
    {
        var refused = await Assert.ThrowsAsync<TenantTransferException>(
            () => _warehouse.Transfer.ImportAsync(new MemoryStream(content), "restored", limits: limits, ct: Ct));
        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
        Assert.Null(await _warehouse.Tenants.FindSummaryAsync("restored", Ct));
        Assert.Equal(1L, await _warehouse.ScalarAsync<long>("SELECT count(*) FROM tenancy.schemas"));
        Assert.False(await _warehouse.ScalarAsync<bool>("SELECT to_regnamespace('tenant_restored') IS NOT NULL"));
        return refused.Message;
    }

    /// <summary>The export with other rows of a table, and a manifest that fits them.</summary>
    private byte[] Rows(string rows, Encoding? encoding = null, string table = "kinds")
    {
        var data = (encoding ?? Encoding.UTF8).GetBytes(rows);
        return Changed(entries =>
        {
            var manifest = JsonNode.Parse(entries["manifest.json"])!.AsObject();
            var told = Table(manifest, table);
            entries[(string)told["data"]!] = data;
            (told["rows"], told["bytes"]) = (data.Count(one => one == '\n'), data.Length);
            told["sha256"] = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(data));
            entries["manifest.json"] = JsonSerializer.SerializeToUtf8Bytes(manifest);
        });
    }

    private byte[] With(Action<JsonObject> change) => Changed(entries =>
    {
        var manifest = JsonNode.Parse(entries["manifest.json"])!.AsObject();
        change(manifest);
        entries["manifest.json"] = JsonSerializer.SerializeToUtf8Bytes(manifest);
    });

    private byte[] Changed(Action<Dictionary<string, byte[]>> change)
    {
        using var original = new ZipArchive(new MemoryStream(_file), ZipArchiveMode.Read);
        var entries = original.Entries.ToDictionary(entry => entry.FullName, entry =>
        {
            using var content = new MemoryStream();
            using var opened = entry.Open();
            opened.CopyTo(content);
            return content.ToArray();
        });
        change(entries);
        using var made = new MemoryStream();
        using (var archive = new ZipArchive(made, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, content) in entries)
            {
                using var entry = archive.CreateEntry(name).Open();
                entry.Write(content);
            }
        }

        return made.ToArray();
    }

    private static JsonObject Table(JsonObject manifest, string name) =>
        manifest["tables"]!.AsArray().Single(table => (string?)table!["name"] == name)!.AsObject();

    private static JsonObject Sequence(JsonObject manifest, string name) =>
        manifest["sequences"]!.AsArray().Single(sequence => (string?)sequence!["name"] == name)!.AsObject();
}

using System.IO.Compression;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Integration.Lifecycle;

/// <summary>A tenant's rows go into a file, out of it, and into another tenant.</summary>
public sealed class TransferTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_imported_tenant_has_what_was_exported()
    {
        for (var round = 0; round < (TestDepth.IsFull ? 10 : 2); round++)
        {
            await using var warehouse = await Warehouse.StartAsync(app);
            var acme = await warehouse.CreateAsync("acme", seed: TestSeed.Say());
            using var file = new MemoryStream();

            var exported = await warehouse.Transfer.ExportAsync("acme", file, Ct);
            file.Position = 0;
            var imported = await warehouse.Transfer.ImportAsync(file, "restored", "Restored GmbH", ct: Ct);

            Assert.Equal(["events", "items", "kinds", "parts"], exported.Keys.Order());
            Assert.Equal(exported.OrderBy(one => one.Key), imported.Rows.OrderBy(one => one.Key));
            Assert.Null(imported.MigrationError);
            Assert.Equal("tenant_restored", imported.Tenant.Schema.Value);
            Assert.Equal(
                await warehouse.DescribeAsync(acme.Schema), await warehouse.DescribeAsync(imported.Tenant.Schema));
            await using var served = await warehouse.Tenants.ServeAsync("restored", Ct);
            Assert.Equal("Restored GmbH", (await warehouse.Tenants.FindSummaryAsync("restored", Ct))!.Entry.Name);
            Assert.True(await warehouse.IsCleanAsync());
        }
    }

    [Fact]
    public async Task A_clone_has_its_originals_rows_and_a_life_of_its_own()
    {
        await using var warehouse = await Warehouse.StartAsync(app);
        var acme = await warehouse.CreateAsync("acme", seed: TestSeed.Say());

        var clone = await warehouse.Transfer.CloneAsync("acme", "sandbox", ct: Ct);

        Assert.Equal(await warehouse.DescribeAsync(acme.Schema), await warehouse.DescribeAsync(clone.Tenant.Schema));
        await warehouse.ExecuteAsync($"DELETE FROM {clone.Tenant.Schema}.parts WHERE id > 5 AND id % 3 > 0");
        Assert.Equal(40L, await warehouse.ScalarAsync<long>($"SELECT count(*) FROM {acme.Schema}.parts"));
        // Triggers fire again, and keys hold again.
        await warehouse.ExecuteAsync($"INSERT INTO {clone.Tenant.Schema}.parts (item_id, label) VALUES (1, 'new')");
        Assert.Equal(1L, await warehouse.ScalarAsync<long>(
            $"SELECT count(*) FROM {clone.Tenant.Schema}.parts WHERE label = 'new{Warehouse.Mark}'"));
        var orphan = await Assert.ThrowsAsync<PostgresException>(() => warehouse.ExecuteAsync(
            $"UPDATE {clone.Tenant.Schema}.items SET main_part_id = 4711"));
        Assert.Equal(PostgresErrorCodes.ForeignKeyViolation, orphan.SqlState);
        Assert.True(await warehouse.IsCleanAsync());
    }

    [Fact]
    public async Task A_file_and_a_clone_of_an_older_version_are_migrated()
    {
        await using var warehouse = await Warehouse.StartAsync(app);
        var acme = await warehouse.CreateAsync("acme");
        await warehouse.Services.GetRequiredService<FleetMigrator>().RunAsync(
            new() { Down = true, To = "20260101000000_Warehouse", Only = [acme.Schema] }, Ct);
        using var file = new MemoryStream();

        await warehouse.Transfer.ExportAsync("acme", file, Ct);
        file.Position = 0;
        var imported = await warehouse.Transfer.ImportAsync(file, "restored", ct: Ct);
        var clone = await warehouse.Transfer.CloneAsync("acme", "sandbox", ct: Ct);

        foreach (var made in new[] { imported, clone })
        {
            Assert.Null(made.MigrationError);
            Assert.Equal(40L, await warehouse.ScalarAsync<long>(
                $"SELECT count(*) FROM {made.Tenant.Schema}.items WHERE color = 'grey'"));
            await using var served = await warehouse.Tenants.ServeAsync(made.Tenant.Slug, Ct);
        }
    }

    [Fact]
    public async Task An_export_is_one_snapshot_however_long_it_takes()
    {
        await using var warehouse = await Warehouse.StartAsync(app);
        var acme = await warehouse.CreateAsync("acme");
        using var file = new MemoryStream();
        // Somebody adds an item with its part while the first table is being read.
        await using var slow = new Slow(file, async () => await warehouse.ExecuteAsync(
            $"""
            INSERT INTO {acme.Schema}.items (name) VALUES ('late');
            INSERT INTO {acme.Schema}.parts (item_id, label) SELECT max(id), 'late' FROM {acme.Schema}.items;
            """));

        var rows = await warehouse.Transfer.ExportAsync("acme", slow, Ct);

        Assert.True(slow.Done);
        Assert.Equal((40L, 40L), (rows["items"], rows["parts"]));
        Assert.Equal(41L, await warehouse.ScalarAsync<long>($"SELECT count(*) FROM {acme.Schema}.items"));
    }

    [Fact]
    public async Task A_migration_passes_over_a_tenant_that_is_being_exported()
    {
        await using var warehouse = await Warehouse.StartAsync(app);
        var acme = await warehouse.CreateAsync("acme");
        var fleet = warehouse.Services.GetRequiredService<FleetMigrator>();
        var down = new FleetPlan { Down = true, To = "20260101000000_Warehouse", Attempts = 1 };
        var during = new List<string>();
        using var file = new MemoryStream();
        await using var slow = new Slow(file, async () =>
        {
            using var impatient = CancellationTokenSource.CreateLinkedTokenSource(Ct);
            impatient.CancelAfter(TimeSpan.FromMilliseconds(500));
            await fleet.RunAsync(down, null, impatient.Token, Ct);
            during.Add(await warehouse.ScalarAsync<string>(
                $"SELECT count(*)::text FROM {acme.Schema}.\"__EFMigrationsHistory\""));
        });

        await warehouse.Transfer.ExportAsync("acme", slow, Ct);

        Assert.Equal(["2"], during);
        await fleet.RunAsync(down, Ct);
        Assert.Equal(1L, await warehouse.ScalarAsync<long>(
            $"SELECT count(*) FROM {acme.Schema}.\"__EFMigrationsHistory\""));
    }

    [Fact]
    public async Task A_file_that_cant_seek_is_imported_too()
    {
        await using var warehouse = await Warehouse.StartAsync(app);
        var acme = await warehouse.CreateAsync("acme");
        using var file = new MemoryStream();
        await warehouse.Transfer.ExportAsync("acme", file, Ct);

        await using var upload = new Upload(file.ToArray());
        var imported = await warehouse.Transfer.ImportAsync(upload, "restored", ct: Ct);

        Assert.Equal(await warehouse.DescribeAsync(acme.Schema), await warehouse.DescribeAsync(imported.Tenant.Schema));
    }

    [Fact]
    public async Task What_cant_be_is_refused_and_nothing_is_made()
    {
        await using var warehouse = await Warehouse.StartAsync(app);
        await warehouse.CreateAsync("acme", items: 3);
        using var file = new MemoryStream();
        await warehouse.Transfer.ExportAsync("acme", file, Ct);

        foreach (var slug in new[] { "nobody", "", "Not a slug", "a'; DROP SCHEMA public CASCADE; --" })
        {
            await Assert.ThrowsAsync<TenantUnavailableException>(
                () => warehouse.Transfer.ExportAsync(slug, new MemoryStream(), Ct));
            await Assert.ThrowsAsync<TenantUnavailableException>(
                () => warehouse.Transfer.CloneAsync(slug, "new", ct: Ct));
        }

        await Assert.ThrowsAsync<TenantSlugTakenException>(() => warehouse.Transfer.CloneAsync("acme", "acme", ct: Ct));
        await Assert.ThrowsAsync<FormatException>(() => warehouse.Transfer.CloneAsync("acme", "Not a slug", ct: Ct));
        await Assert.ThrowsAsync<FormatException>(() => warehouse.Transfer.CloneAsync("acme", "new", "two\nlines", Ct));
        file.Position = 0;
        await Assert.ThrowsAsync<TenantSlugTakenException>(() => warehouse.Transfer.ImportAsync(file, "acme", ct: Ct));
        await Assert.ThrowsAsync<FormatException>(() => warehouse.Transfer.ImportAsync(file, "Not a slug", ct: Ct));
        Assert.Equal("acme", Assert.Single(await warehouse.Tenants.ListAsync(ct: Ct)).Entry.Tenant.Slug);
        Assert.Equal(1L, await warehouse.ScalarAsync<long>("SELECT count(*) FROM tenancy.schemas"));
    }

    [Fact]
    public async Task A_suspended_and_an_archived_tenant_are_exported_too()
    {
        await using var warehouse = await Warehouse.StartAsync(app);
        await warehouse.CreateAsync("acme", items: 3);

        foreach (var status in new[] { TenantStatus.Suspended, TenantStatus.Archived })
        {
            await warehouse.Tenants.SetStatusAsync("acme", status, Ct);
            using var file = new MemoryStream();
            Assert.Equal(3, (await warehouse.Transfer.ExportAsync("acme", file, Ct))["items"]);
        }
    }

    [Fact]
    public async Task The_file_can_be_read_without_the_library()
    {
        await using var warehouse = await Warehouse.StartAsync(app);
        await warehouse.CreateAsync("acme", items: 3);
        using var file = new MemoryStream();
        await warehouse.Transfer.ExportAsync("acme", file, Ct);

        using var archive = new ZipArchive(file, ZipArchiveMode.Read);

        Assert.Equal(["data/1.copy", "data/2.copy", "data/3.copy", "data/4.copy", "manifest.json"],
            archive.Entries.Select(entry => entry.FullName));
        using var kinds = new StreamReader(archive.GetEntry("data/3.copy")!.Open());
        Assert.Equal("1\tby the migration\n2\ta kind\n3\tof acme\n", await kinds.ReadToEndAsync(Ct));
    }

    /// <summary>Does something once when the first bytes are written.</summary>
    private sealed class Slow(Stream to, Func<Task> once) : Upload([])
    {
        public bool Done { get; private set; }

        public override bool CanWrite => true;

        public override async ValueTask WriteAsync(
            ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (!Done)
            {
                Done = true;
                await once();
            }

            await to.WriteAsync(buffer, cancellationToken);
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    /// <summary>As a request's body: it doesn't seek, and is read asynchronously alone.</summary>
    private class Upload(byte[] content) : Stream
    {
        private readonly MemoryStream _content = new(content);

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            _content.ReadAsync(buffer, cancellationToken);

        public override void Flush() => throw new NotSupportedException();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}

using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Tenancy;
using Tenancy.Transfer;
using Xunit;

namespace Tests.Integration.Adoption;

/// <summary>An application whose tenants share tables, apart by a column, gives each a schema of its own.</summary>
public sealed class CopyTests(App app)
{
    private static readonly Dictionary<string, string> Slugs = new() { ["1"] = "acme", ["2"] = "globex" };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_tenant_gets_its_rows_and_those_that_hang_on_them()
    {
        var (database, host) = await DatabaseAsync();
        using var _ = host;
        await using var admin = NpgsqlDataSource.Create(database);

        var report = await CopyOf(host).CopyAsync(new("public", "tenant_id", Slugs), ct: Ct);

        Assert.Equal(["acme", "globex"], report.Copied.Select(one => one.Tenant.Slug));
        Assert.Equal(new Dictionary<string, long> { ["files"] = 7, ["folders"] = 1, ["notes"] = 7 }, report.Left);
        foreach (var (id, slug) in Slugs)
        {
            // A peer: the shared tables' own rows.
            foreach (var (table, wanted) in new[]
            {
                ("folders", $"SELECT id, name, parent_id, cover_id FROM public.folders WHERE tenant_id = {id}"),
                ("files", "SELECT f.id, f.folder_id, f.name, f.size, f.tags FROM public.files AS f JOIN public.folders " +
                    $"AS p ON p.id = f.folder_id WHERE p.tenant_id = {id}"),
                ("notes", "SELECT n.id, n.file_id, n.text FROM public.notes AS n JOIN public.files AS f ON f.id = " +
                    $"n.file_id JOIN public.folders AS p ON p.id = f.folder_id WHERE p.tenant_id = {id}"),
            })
            {
                Assert.Equal(await RowsAsync(admin, wanted), await RowsAsync(
                    admin, wanted[..wanted.IndexOf(" FROM", StringComparison.Ordinal)]
                        .Replace("f.", "", StringComparison.Ordinal).Replace("n.", "", StringComparison.Ordinal)
                        + $" FROM tenant_{slug}.{table}"));
            }
        }

        // Keys go on behind all that were given out, so that nothing which kept one meets another's.
        await using var scope = await host.Services.GetRequiredService<Tenants>().ServeAsync("globex", Ct);
        var db = scope.Services.GetRequiredService<FilesContext>();
        var added = new Folder { Name = "new" };
        db.Add(added);
        await db.SaveChangesAsync(Ct);
        Assert.Equal(8, added.Id);
        Assert.True((await host.Services.GetRequiredService<FleetVerifier>().VerifyAsync(ct: Ct)).IsClean);
    }

    [Fact]
    public async Task Interrupted_it_goes_on_with_those_that_are_missing()
    {
        var (database, host) = await DatabaseAsync();
        using var _ = host;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => CopyOf(host).CopyAsync(
            new("public", "tenant_id", Slugs), new Told(_ => stop.Cancel()), stop.Token));
        var report = await CopyOf(host).CopyAsync(new("public", "tenant_id", Slugs), ct: Ct);

        Assert.Equal(["acme"], report.Skipped);
        Assert.Equal("globex", Assert.Single(report.Copied).Tenant.Slug);
    }

    [Fact]
    public async Task A_dry_run_changes_nothing()
    {
        var (database, host) = await DatabaseAsync();
        using var _ = host;
        await using var admin = NpgsqlDataSource.Create(database);

        var dry = await CopyOf(host).CopyAsync(new("public", "tenant_id", Slugs) { DryRun = true }, ct: Ct);

        Assert.Equal(2, dry.Copied.Count);
        Assert.Empty(await RowsAsync(admin, "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'tenant_%'"));
        Assert.Empty(await RowsAsync(admin, "SELECT slug FROM tenancy.tenants"));
        Assert.Equal(dry.Copied.Select(one => one.Rows),
            (await CopyOf(host).CopyAsync(new("public", "tenant_id", Slugs), ct: Ct)).Copied.Select(one => one.Rows));
    }

    [Theory]
    [InlineData("ALTER TABLE files ADD secret text", "has the column 'secret'")]
    [InlineData("ALTER TABLE folders RENAME tenant_id TO owner_id", "No table of public has the column 'tenant_id'")]
    [InlineData("ALTER TABLE notes DROP COLUMN text", "must not be null and has no default")]
    [InlineData("DROP TABLE notes", "There is no table public.notes")]
    public async Task What_does_not_fit_is_refused_and_no_tenant_is_made(string change, string words)
    {
        var (database, host) = await DatabaseAsync();
        using var _ = host;
        await using var admin = NpgsqlDataSource.Create(database);
        await using (var command = admin.CreateCommand(change))
        {
            await command.ExecuteNonQueryAsync(Ct);
        }

        var refusal = await Assert.ThrowsAsync<AdoptionException>(
            () => CopyOf(host).CopyAsync(new("public", "tenant_id", Slugs), ct: Ct));

        Assert.Contains(words, refusal.Message, StringComparison.Ordinal);
        Assert.Empty(await RowsAsync(admin, "SELECT slug FROM tenancy.tenants"));
        Assert.Empty(await RowsAsync(admin, "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'tenant_%'"));
    }

    [Fact]
    public async Task A_row_of_two_tenants_is_no_ones_and_stops_the_copy()
    {
        var (database, host) = await DatabaseAsync();
        using var _ = host;
        await using var admin = NpgsqlDataSource.Create(database);
        // A folder of acme's inside one of globex'.
        await using (var command = admin.CreateCommand("UPDATE folders SET parent_id = 2 WHERE id = 3"))
        {
            await command.ExecuteNonQueryAsync(Ct);
        }

        var error = await Assert.ThrowsAsync<PostgresException>(
            () => CopyOf(host).CopyAsync(new("public", "tenant_id", Slugs), ct: Ct));

        Assert.Equal(PostgresErrorCodes.ForeignKeyViolation, error.SqlState);
        Assert.Empty(await RowsAsync(admin, "SELECT slug FROM tenancy.tenants"));
    }

    [Fact]
    public async Task Wrong_slugs_are_refused()
    {
        using var host = Host("Host=nowhere.invalid");

        await Assert.ThrowsAsync<FormatException>(() => CopyOf(host).CopyAsync(
            new("public", "tenant_id", new Dictionary<string, string> { ["1"] = "Acme" }), ct: Ct));
        await Assert.ThrowsAsync<FormatException>(() => CopyOf(host).CopyAsync(
            new("public", "tenant_id", new Dictionary<string, string> { ["1"] = "a", ["2"] = "a" }), ct: Ct));
    }

    [Theory]
    [InlineData("a>b b>c", "c b a", 0)]
    [InlineData("a>b b>a c>a", "b a c", 1)]
    [InlineData("a>a b>a", "a b", 0)]
    [InlineData("", "a b", 0)]
    public void Parents_come_first(string keys, string order, int cyclic)
    {
        ForeignKey[] all = [.. keys.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(key => new ForeignKey($"{key[0]}", key, $"{key[2]}", "", [], []))];

        var (tables, without) = ForeignKey.Order(
            keys.Length == 0
                ? ["b", "a"]
                : [.. keys.Where(char.IsLetter).Distinct().Select(letter => $"{letter}")], all,
            table => table == "b");

        Assert.Equal(order, string.Join(' ', tables));
        Assert.Equal(cyclic, without.Count);
    }

    private static TenantCopy CopyOf(IHost host) => host.Services.GetRequiredService<TenantCopy>();

    /// <summary>
    /// Shared tables as such applications have them. A folder has a parent and a cover, which is a file in a folder: a
    /// circle.
    /// </summary>
    private async Task<(string Database, IHost Host)> DatabaseAsync()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        await using var admin = NpgsqlDataSource.Create(database);
        await using var make = admin.CreateCommand(
            """
            CREATE TABLE folders (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id bigint,
                name text NOT NULL, parent_id integer REFERENCES folders, cover_id uuid);
            CREATE TABLE files (id uuid PRIMARY KEY, folder_id integer NOT NULL REFERENCES folders, name text NOT NULL,
                size numeric(10, 2), tags text[] NOT NULL, upper text GENERATED ALWAYS AS (upper(name)) STORED);
            ALTER TABLE folders ADD FOREIGN KEY (cover_id) REFERENCES files;
            CREATE TABLE notes (id serial PRIMARY KEY, file_id uuid NOT NULL REFERENCES files, text text NOT NULL);
            INSERT INTO folders (tenant_id, name, parent_id) VALUES
                (1, 'a', NULL), (2, 'b', NULL), (1, 'c', 1), (2, 'd', 2), (1, 'e', 3), (NULL, 'nobody''s', NULL),
                (2, 'g', NULL);
            -- The sixth folder is nobody's.
            INSERT INTO files SELECT gen_random_uuid(), folder, 'file ' || folder || ' ' || n, n * 1.5,
                ARRAY['x', 'y,"z'] FROM generate_series(1, 6) AS folder, generate_series(1, 7) AS n;
            UPDATE folders SET cover_id = (SELECT id FROM files WHERE folder_id = folders.id LIMIT 1);
            INSERT INTO notes (file_id, text) SELECT id, 'note ' || name FROM files;
            """);
        await make.ExecuteNonQueryAsync(Ct);
        var host = Host(database);
        await host.Services.GetRequiredService<Tenants>().MigrateAsync(Ct);
        return (database, host);
    }

    private static IHost Host(string database)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateApplicationBuilder(
            new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddInMemoryCollection([new("ConnectionStrings:shop", database)]);
        builder.AddTenancy("shop", tenancy => tenancy.UseBuiltInRegistry().AddContext<FilesContext>());
        return builder.Build();
    }

    private static async Task<IReadOnlyList<string>> RowsAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand($"SELECT q::text FROM ({sql}) AS q ORDER BY 1");
        await using var rows = await command.ExecuteReaderAsync(Ct);
        var texts = new List<string>();
        while (await rows.ReadAsync(Ct))
        {
            texts.Add(rows.GetString(0));
        }

        return texts;
    }

    private sealed class Told(Action<CopiedTenant> then) : IProgress<CopiedTenant>
    {
        public void Report(CopiedTenant value) => then(value);
    }

    internal sealed class Folder
    {
        public int Id { get; init; }

        public string Name { get; set; } = "";

        public int? ParentId { get; set; }

        public Guid? CoverId { get; set; }
    }

    internal sealed class FilesContext(DbContextOptions<FilesContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.Entity<Folder>(folder =>
        {
            folder.ToTable("folders");
            folder.Property(f => f.Id).HasColumnName("id").UseIdentityAlwaysColumn();
            folder.Property(f => f.Name).HasColumnName("name");
            folder.Property(f => f.ParentId).HasColumnName("parent_id");
            folder.Property(f => f.CoverId).HasColumnName("cover_id");
        });
    }

    /// <summary>The same tables, without the column.</summary>
    [DbContext(typeof(FilesContext))]
    [Migration("20260101000000_Files")]
    internal sealed class FilesMigration : Migration
    {
        protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
            """
            CREATE TABLE "__Tenant__".folders (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL,
                parent_id integer REFERENCES "__Tenant__".folders DEFERRABLE INITIALLY DEFERRED, cover_id uuid);
            CREATE TABLE "__Tenant__".files (id uuid PRIMARY KEY, folder_id integer NOT NULL REFERENCES
                "__Tenant__".folders, name text NOT NULL, size numeric(10, 2), tags text[] NOT NULL,
                upper text GENERATED ALWAYS AS (upper(name)) STORED);
            ALTER TABLE "__Tenant__".folders ADD FOREIGN KEY (cover_id) REFERENCES "__Tenant__".files;
            CREATE TABLE "__Tenant__".notes (id serial PRIMARY KEY, file_id uuid NOT NULL REFERENCES "__Tenant__".files,
                text text NOT NULL);
            """);
    }
}

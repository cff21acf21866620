using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Integration.Adoption;

/// <summary>
/// Keys out of sequences, as existing models have them: HiLo, serial, a sequence, table per concrete type.
/// </summary>
public sealed class SequenceKeysTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_tenant_takes_its_numbers_out_of_its_own_sequences()
    {
        using var host = await HostAsync();
        var tenants = host.Services.GetRequiredService<Tenants>();
        string[] slugs = ["acme", "globex"];
        foreach (var slug in slugs)
        {
            await tenants.CreateAsync(slug, Ct);
        }

        // In turn, so that a block which both had in common would show.
        for (var round = 0; round < 15; round++)
        {
            foreach (var slug in slugs)
            {
                await AddAsync(tenants, slug);
            }
        }

        foreach (var slug in slugs)
        {
            await using var scope = await tenants.ServeAsync(slug, Ct);
            var db = scope.Services.GetRequiredService<KeysContext>();
            var expected = Enumerable.Range(1, 15).ToList();
            Assert.Equal(expected, await db.Set<HiLoed>().Select(row => row.Id).Order().ToListAsync(Ct));
            Assert.Equal(expected, await db.Set<Serial>().Select(row => row.Id).Order().ToListAsync(Ct));
            Assert.Equal(expected, await db.Set<Sequenced>().Select(row => row.Id).Order().ToListAsync(Ct));
            // Both types share one.
            Assert.Equal(Enumerable.Range(1, 30), await db.Set<Animal>().Select(row => row.Id).Order().ToListAsync(Ct));
        }

        Assert.True((await host.Services.GetRequiredService<FleetVerifier>().VerifyAsync(ct: Ct)).IsClean);
        var database = host.Services.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.OwnerKey);
        await using var blocks = database.CreateCommand("SELECT last_value FROM tenant_globex.hilo");
        // Two blocks of ten.
        Assert.Equal(11L, await blocks.ExecuteScalarAsync(Ct));
    }

    [Fact]
    public async Task Many_at_once_get_no_number_twice()
    {
        using var host = await HostAsync();
        var tenants = host.Services.GetRequiredService<Tenants>();
        string[] slugs = ["acme", "globex", "initech"];
        foreach (var slug in slugs)
        {
            await tenants.CreateAsync(slug, Ct);
        }

        await Parallel.ForEachAsync(Enumerable.Range(0, 120), new ParallelOptions { MaxDegreeOfParallelism = 8 },
            async (turn, _) => await AddAsync(tenants, slugs[turn % slugs.Length]));

        foreach (var slug in slugs)
        {
            await using var scope = await tenants.ServeAsync(slug, Ct);
            var ids = await scope.Services.GetRequiredService<KeysContext>().Set<HiLoed>().Select(row => row.Id)
                .Order().ToListAsync(Ct);
            Assert.Equal(Enumerable.Range(1, 40), ids);
        }
    }

    [Fact]
    public async Task Without_a_tenant_there_is_no_number()
    {
        using var host = await HostAsync();
        await using var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<KeysContext>();

        await Assert.ThrowsAsync<NoTenantException>(async () => await db.AddAsync(new HiLoed(), Ct));
    }

    [Theory]
    [InlineData("SELECT nextval('\"__Tenant__\".plain') AS \"Value\"")]
    [InlineData("SELECT pg_catalog.nextval ( '\"__Tenant__\".\"plain\"'::regclass ) AS \"Value\"")]
    [InlineData("SELECT nextval('\"__Tenant__\".plain'::pg_catalog.regclass) AS \"Value\"")]
    [InlineData("SELECT setval('\"__Tenant__\".plain', 1, false) AS \"Value\"")]
    public async Task Hand_written_SQL_may_name_a_sequence_of_the_tenants(string sql)
    {
        using var host = await HostAsync();
        var tenants = host.Services.GetRequiredService<Tenants>();
        await tenants.CreateAsync("acme", Ct);
        await using var scope = await tenants.ServeAsync("acme", Ct);

        Assert.Equal(1, await scope.Services.GetRequiredService<KeysContext>().Database.SqlQueryRaw<long>(sql)
            .SingleAsync(Ct));
    }

    [Theory]
    [InlineData("SELECT nextval('plain')")]
    [InlineData("SELECT nextval('tenant_globex.plain')")]
    [InlineData("SELECT nextval('\"__Tenant__\".plain' || '')")]
    [InlineData("SELECT nextval(('\"__Tenant__\".plain'))")]
    [InlineData("SELECT nextval('\"__Tenant__\".plain'::text::regclass)")]
    [InlineData("SELECT nextval('\"__Tenant__\".plain' 'x')")]
    [InlineData("SELECT nextval('\"__Tenant__\".\"a''b\"')")]
    [InlineData("SELECT nextval('\"__Tenant__\".a.plain')")]
    [InlineData("SELECT nextval('  \"__Tenant__\".plain')")]
    [InlineData("SELECT nextval(E'\"__Tenant__\".plain')")]
    [InlineData("SELECT nextval($$\"__Tenant__\".plain$$)")]
    [InlineData("SELECT nextval('\"tenant_globex\".plain')")]
    [InlineData("SELECT setval('tenant_globex.plain', 1)")]
    [InlineData("SELECT currval('\"__Tenant__\".plain')")]
    [InlineData("SELECT public.nextval('\"__Tenant__\".plain')")]
    [InlineData("SELECT nextval('\"__Tenant__\".plain', nextval('tenant_globex.plain'))")]
    [InlineData("SELECT setval('\"__Tenant__\".plain', nextval('tenant_globex.plain'))")]
    [InlineData("SELECT lastval()")]
    public void Any_other_is_refused(string sql) => Assert.Throws<CommandRefusedException>(() =>
        Tenancy.Sql.SqlTemplate.Of(sql).Guard(new([], ["public"], [])));

    private static async Task AddAsync(Tenants tenants, string slug)
    {
        await using var scope = await tenants.ServeAsync(slug, Ct);
        var db = scope.Services.GetRequiredService<KeysContext>();
        db.AddRange(new HiLoed(), new Serial(), new Sequenced(), new Cat(), new Dog());
        await db.SaveChangesAsync(Ct);
    }

    private async Task<IHost> HostAsync()
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddInMemoryCollection(
            [new("ConnectionStrings:shop", await app.Server.ConnectionStringAsync(Ct))]);
        builder.AddTenancy("shop", tenancy => tenancy.UseBuiltInRegistry()
            .AddContext<KeysContext>(keys => keys.ReplaceSchema("ordering")));
        var host = builder.Build();
        await host.Services.GetRequiredService<Tenants>().MigrateAsync(Ct);
        return host;
    }

    internal sealed class HiLoed
    {
        public int Id { get; init; }
    }

    internal sealed class Serial
    {
        public int Id { get; init; }
    }

    internal sealed class Sequenced
    {
        public int Id { get; init; }
    }

    internal abstract class Animal
    {
        public int Id { get; init; }
    }

    internal sealed class Cat : Animal;

    internal sealed class Dog : Animal;

    internal sealed class KeysContext(DbContextOptions<KeysContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.HasDefaultSchema("ordering").HasSequence("plain");
            modelBuilder.HasSequence("hilo", "ordering").IncrementsBy(10);
            modelBuilder.Entity<HiLoed>().Property(row => row.Id).UseHiLo("hilo", "ordering");
            modelBuilder.Entity<Serial>().Property(row => row.Id).UseSerialColumn();
            modelBuilder.Entity<Sequenced>().Property(row => row.Id).UseSequence("sequenced", "ordering");
            modelBuilder.Entity<Animal>().UseTpcMappingStrategy();
            modelBuilder.Entity<Cat>();
            modelBuilder.Entity<Dog>();
        }
    }

    /// <summary>What <c>dotnet ef migrations add</c> would have written before there were tenants.</summary>
    [DbContext(typeof(KeysContext))]
    [Migration("20250101000000_Keys")]
    internal sealed class KeysMigration : Migration
    {
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            var options = new DbContextOptionsBuilder<KeysContext>();
            using var context = new KeysContext(options.UseNpgsql("Host=nowhere.invalid").Options);
            var model = context.GetService<IDesignTimeModel>().Model.GetRelationalModel();
            migrationBuilder.Operations.AddRange(
                context.GetService<IMigrationsModelDiffer>().GetDifferences(null, model));
        }
    }
}

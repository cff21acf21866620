using System.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;
using NpgsqlTypes;
using Tenancy;
using Tenancy.Leasing;
using Tenancy.Sql;
using Xunit;

namespace Tests.Integration.Types;

/// <summary>
/// What a data source knows of the database's types: Npgsql's own, unless the application asks for more.
/// </summary>
public sealed class LoadTypesTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(null)]
    [InlineData(false)]
    public async Task A_shared_schemas_types_are_loaded_when_asked_for(bool? unasked)
    {
        var database = await DatabaseAsync("CREATE TYPE public.mood AS ENUM ('good', 'bad')");
        await using var standard = Source(database, unasked);
        await using var loading = Source(database, true);

        var unread = await Assert.ThrowsAsync<InvalidCastException>(() =>
            ReadAsync<string>(standard, "SELECT 'good'::public.mood"));

        // The words that docs/isolation.md explains.
        Assert.Contains("DataTypeName '-.-'", unread.Message, StringComparison.Ordinal);
        var unwritten = await Assert.ThrowsAsync<InvalidCastException>(() =>
            WriteAsync(standard, new NpgsqlParameter { Value = Mood.Good }));
        Assert.Matches(
            "^Writing values of '.*Mood' is not supported for parameters having no NpgsqlDbType or DataTypeName",
            unwritten.Message);
        Assert.Equal("good", await ReadAsync<string>(standard, "SELECT 'good'::public.mood::text"));
        Assert.Equal("good", await ReadAsync<string>(loading, "SELECT 'good'::public.mood"));
        Assert.Equal('r', await ReadAsync<char>(loading, "SELECT 'r'::\"char\""));
    }

    [Fact]
    public async Task An_extensions_types_are_too()
    {
        var database = await DatabaseAsync("SELECT");
        await using var standard = Source(database, null);
        Assert.SkipUnless(
            await ReadAsync<bool>(standard,
                "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'citext')"),
                    "The server has no files of the extension citext.");
        await ExecuteAsync(standard, "CREATE EXTENSION citext SCHEMA public");
        await using var loading = Source(database, true);

        await Assert.ThrowsAsync<InvalidCastException>(() =>
            ReadAsync<string>(standard, "SELECT 'Ada'::public.citext"));

        Assert.Equal("Ada", await ReadAsync<string>(loading, "SELECT 'Ada'::public.citext"));
        await AcmesPeopleAsync(loading);
    }

    /// <summary>In a tenant's model, with the migration's table as EF would make it.</summary>
    private static async Task AcmesPeopleAsync(NpgsqlDataSource source)
    {
        var acme = new Tenant(Guid.CreateVersion7(), "acme", SchemaName.Parse("customer_acme"));
        await ExecuteAsync(
            source, "CREATE SCHEMA customer_acme; CREATE TABLE customer_acme.people (name citext PRIMARY KEY)");
        var options = new DbContextOptionsBuilder<PeopleContext>();
        options.UseNpgsql(source).UseTenancy(new() { LoadTypes = true });
        await using var context = new PeopleContext(options.Options).For(acme);

        context.Add(new Person("Ada"));
        await context.SaveChangesAsync(Ct);
        context.ChangeTracker.Clear();

        Assert.Equal(new Person("Ada"), await context.People.SingleAsync(person => person.Name == "ADA", Ct));
        var tables = context.GetService<IMigrationsModelDiffer>().GetDifferences(
            null, context.GetService<IDesignTimeModel>().Model.GetRelationalModel());
        Assert.DoesNotContain(context.GetService<IMigrationsSqlGenerator>().Generate(tables),
            command => command.CommandText.Contains("EXTENSION", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task An_enum_of_a_shared_schema_is_a_column_of_a_tenants()
    {
        var database = await DatabaseAsync("CREATE TYPE public.mood AS ENUM ('good', 'bad')");
        await using var source = TenantDataSource.Create(new()
        {
            ConnectionString = database, LoadTypes = true,
            ConfigureDataSource = builder => builder.MapEnum<Mood>("public.mood"),
        });
        var acme = new Tenant(Guid.CreateVersion7(), "acme", SchemaName.Parse("customer_acme"));
        var options = new DbContextOptionsBuilder<DaysContext>();
        options.UseNpgsql(source, npgsql => npgsql.MapEnum<Mood>("mood", "public")).UseTenancy(new() { LoadTypes = true });
        await using var context = new DaysContext(options.Options).For(acme);
        var script = context.GetService<IMigrationsSqlGenerator>().Generate(
            context.GetService<IMigrationsModelDiffer>().GetDifferences(
                null, context.GetService<IDesignTimeModel>().Model.GetRelationalModel()),
            context.GetService<IDesignTimeModel>().Model);
        Assert.DoesNotContain(script, command =>
            command.CommandText.Contains("CREATE TYPE", StringComparison.OrdinalIgnoreCase));
        foreach (var command in script)
        {
            await ExecuteAsync(source, SqlTemplate.Of(command.CommandText).Rewrite(acme.Schema));
        }

        context.AddRange(new Day(1, Mood.Good), new Day(2, Mood.Bad));
        await context.SaveChangesAsync(Ct);
        context.ChangeTracker.Clear();

        Assert.Equal([1], await context.Days.Where(day => day.Mood == Mood.Good).Select(day => day.Id).ToListAsync(Ct));
        Assert.Equal(Mood.Bad, (await context.Days.SingleAsync(day => day.Id == 2, Ct)).Mood);
        Assert.Equal("public", await ReadAsync<string>(source,
            "SELECT udt_schema::text FROM information_schema.columns " +
            "WHERE table_schema = 'customer_acme' AND column_name = 'mood'"));
    }

    [Fact]
    public async Task Without_loading_PostgreSQLs_own_are_read_and_domains_as_what_they_are_made_of()
    {
        await using var source = Source(
            await DatabaseAsync("CREATE DOMAIN public.email AS text CHECK (VALUE LIKE '%@%')"), null);

        Assert.Equal("ada@example.com", await ReadAsync<string>(source, "SELECT 'ada@example.com'::public.email"));
        Assert.Equal(["a", "b"], await ReadAsync<string[]>(source, "SELECT ARRAY['a', 'b']"));
        Assert.Equal(new NpgsqlRange<int>(1, true, 5, false),
            await ReadAsync<NpgsqlRange<int>>(source, "SELECT int4range(1, 5)"));
        Assert.Equal("{\"a\": 1}", await ReadAsync<string>(source, "SELECT '{\"a\":1}'::jsonb"));
    }

    [Fact]
    public async Task The_application_has_the_last_word_and_gets_the_shared_schemas_types()
    {
        var database = await DatabaseAsync(
            "CREATE TYPE public.mood AS ENUM ('good', 'bad'); CREATE SCHEMA customer_acme; CREATE TYPE " +
            "customer_acme.size AS ENUM ('small', 'large')");
        await using var source = TenantDataSource.Create(new()
        {
            ConnectionString = database,
            ConfigureDataSource = builder => builder.ConfigureTypeLoading(types => types.EnableTypeLoading()),
        });

        Assert.Equal("good", await ReadAsync<string>(source, "SELECT 'good'::public.mood"));
        await Assert.ThrowsAsync<InvalidCastException>(() =>
            ReadAsync<string>(source, "SELECT 'small'::customer_acme.size"));
    }

    [Fact]
    public async Task What_a_model_may_have_without_loading_is_what_Npgsql_knows()
    {
        await using var source = Source(await DatabaseAsync("SELECT"), null);
        // By both names, as long as the name alone means that type: char is another than "char".
        var names = await ReadAsync<string[]>(
            source,
            """
            SELECT array_agg(DISTINCT name) FROM pg_type CROSS JOIN LATERAL (VALUES (format_type(oid, NULL)), (typname::text)) AS names (name)
            WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype IN ('b', 'r', 'm') AND typcategory <> 'A' AND name <> 'char' AND to_regtype(name) = oid
            """);
        // Only described: not every type has a binary form to be sent in.
        await using var ask = source.CreateCommand(
            $"SELECT {string.Join(", ", names.Select(name => $"NULL::{name}"))}");
        await using var row = await ask.ExecuteReaderAsync(CommandBehavior.SchemaOnly, Ct);

        Assert.True(names.Length > 80);
        Assert.All(names.Index(),
            type => Assert.Equal(
                (type.Item, row.GetPostgresType(type.Index).Name != "-"), (type.Item, BuiltInTypes.Has(type.Item))));
    }

    private static NpgsqlDataSource Source(string database, bool? loadTypes) =>
        TenantDataSource.Create(new() { ConnectionString = database, LoadTypes = loadTypes });

    private async Task<string> DatabaseAsync(string sql)
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        await using var source = Source(database, null);
        await ExecuteAsync(source, sql);
        return database;
    }

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Ct);
    }

    private static async Task WriteAsync(NpgsqlDataSource source, NpgsqlParameter value)
    {
        await using var command = source.CreateCommand("SELECT $1");
        command.Parameters.Add(value);
        await command.ExecuteNonQueryAsync(Ct);
    }

    private static async Task<T> ReadAsync<T>(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await using var row = await command.ExecuteReaderAsync(Ct);
        Assert.True(await row.ReadAsync(Ct));
        return await row.GetFieldValueAsync<T>(0, Ct);
    }

    internal enum Mood
    {
        Good,
        Bad,
    }

    internal sealed record Day(int Id, Mood Mood);

    internal sealed class DaysContext(DbContextOptions<DaysContext> options) : DbContext(options)
    {
        public DbSet<Day> Days => Set<Day>();

        protected override void OnModelCreating(ModelBuilder modelBuilder) =>
            modelBuilder.HasDefaultSchema(TenantPlaceholder.Schema).Entity<Day>(day =>
            {
                day.ToTable("days");
                day.Property(d => d.Id).HasColumnName("id").ValueGeneratedNever();
                day.Property(d => d.Mood).HasColumnName("mood");
            });
    }

    internal sealed record Person(string Name);

    internal sealed class PeopleContext(DbContextOptions<PeopleContext> options) : DbContext(options)
    {
        public DbSet<Person> People => Set<Person>();

        protected override void OnModelCreating(ModelBuilder modelBuilder) =>
            modelBuilder.HasDefaultSchema(TenantPlaceholder.Schema).Entity<Person>(person =>
            {
                person.ToTable("people").HasKey(p => p.Name);
                person.Property(p => p.Name).HasColumnName("name").HasColumnType("citext");
            });
    }
}

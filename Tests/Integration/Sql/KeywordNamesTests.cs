#pragma warning disable EF1002 // The names are PostgreSQL's own key words: they are the subject.

using System.Diagnostics.CodeAnalysis;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Integration.Sql;

/// <summary>
/// Each of PostgreSQL's key words may be a parameter, a column, a table and an alias, by every way that EF has.
/// </summary>
public sealed class KeywordNamesTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_keyword_is_a_name_like_any_other()
    {
        var words = await Words.OfAsync(app, Ct);
        await using var context = words.Open();

        // With a column for each word, SaveChanges and LINQ name them all in one statement.
        var row = words.Names.ToDictionary(word => word, object (_) => 1);
        row["id"] = 1;
        context.Set<Dictionary<string, object>>("all words").Add(row);
        await context.SaveChangesAsync(Ct);
        foreach (var word in words.Names)
        {
            row[word] = 2;
        }

        await context.SaveChangesAsync(Ct);
        context.ChangeTracker.Clear();
        var read = await context.Set<Dictionary<string, object>>("all words").SingleAsync(Ct);

        Assert.True(words.Names.Count > 400);
        Assert.All(words.Names, word => Assert.Equal(2, read[word]));
    }

    [Fact]
    public async Task Every_keyword_is_a_table_and_an_alias_and_a_parameter()
    {
        var words = await Words.OfAsync(app, Ct);
        await using var context = words.Open();

        string[] some = [.. words.Names.Where((_, at) => TestDepth.IsFull || at % 4 == 0)];
        foreach (var word in some)
        {
            context.Set<Dictionary<string, object>>($"word {word}").Add(new() { ["id"] = 7 });
        }

        await context.SaveChangesAsync(Ct);
        foreach (var word in some)
        {
            var seven = new NpgsqlParameter(word, 7);
            var rows = context.Set<Dictionary<string, object>>($"word {word}");
            Assert.Equal(1, await rows.CountAsync(row => (int)row["id"] == 7, Ct));
            Assert.Single(
                await rows.FromSqlRaw(
                    $"SELECT \"{word}\".* FROM \"__Tenant__\".\"{word}\" AS \"{word}\" WHERE id = @{word}", seven)
                .Where(row => (int)row["id"] > 0)
                .ToListAsync(Ct));
            Assert.Equal([7], await context.Database
                .SqlQueryRaw<int>(
                    $"SELECT id AS {word} FROM \"__Tenant__\".\"{word}\" AS \"{word}\" WHERE id >= @{word}",
                    new NpgsqlParameter(word, 7))
                .ToListAsync(Ct));
            Assert.Equal(1, await context.Database.ExecuteSqlRawAsync(
                $"DELETE FROM \"__Tenant__\".\"{word}\" AS \"{word}\" WHERE \"{word}\".id = @{word}",
                [new NpgsqlParameter(word, 7)], Ct));
        }
    }

    /// <summary>EF names a parameter after the variable.</summary>
    [Fact]
    [SuppressMessage("Style", "IDE1006", Justification = "The names are the subject.")]
    public async Task A_variable_may_be_named_like_a_keyword()
    {
        var words = await Words.OfAsync(app, Ct);
        await using var context = words.Open();
        var rows = context.Set<Dictionary<string, object>>("all words");
        var (from, where, select, join, on, update, order, group, union, limit, @case, values, using_, into) =
            (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14);

        var found = await rows.Where(row => (int)row["id"] >= from && (int)row["id"] != where
            && (int)row["id"] != select && (int)row["id"] != join && (int)row["id"] != on && (int)row["id"] != update
            && (int)row["id"] != order && (int)row["id"] != group && (int)row["id"] != union
            && (int)row["id"] != @case && (int)row["id"] != values && (int)row["id"] != using_
            && (int)row["id"] != into).Take(limit).ToListAsync(Ct);

        Assert.Empty(found);
    }

    private sealed record Words(IReadOnlyList<string> Names, Tenant Tenant, string Database)
    {
        public static async Task<Words> OfAsync(App app, CancellationToken ct)
        {
            var database = await app.Server.ConnectionStringAsync(ct);
            await using var source = NpgsqlDataSource.Create(database);
            await using var ask = source.CreateCommand("SELECT array_agg(word ORDER BY word) FROM pg_get_keywords()");
            // Npgsql writes these without quotes, which PostgreSQL itself refuses.
            var names = ((string[])(await ask.ExecuteScalarAsync(ct))!).Except(["collation", "tablesample", "system_user"]).ToList();
            var columns = string.Concat(names.Select(word => $", \"{word}\" int NOT NULL"));
            var tables = string.Concat(
                names.Select(word => $"CREATE TABLE customer_words.\"{word}\" (id int PRIMARY KEY);"));
            await using var make = source.CreateCommand(
                "CREATE SCHEMA customer_words; " +
                $"CREATE TABLE customer_words.\"all words\" (id int PRIMARY KEY{columns}); {tables}");
            await make.ExecuteNonQueryAsync(ct);
            return new(
                names, new(Guid.CreateVersion7(), "words", SchemaName.Parse("customer_words")), database);
        }

        public WordsContext Open()
        {
            var options = new DbContextOptionsBuilder<WordsContext>();
            options.UseNpgsql(Database).UseTenancy(new());
            return new WordsContext(options.Options, Names).For(Tenant);
        }
    }

    /// <summary>A table with a column for each word, and a table for each.</summary>
    internal sealed class WordsContext(DbContextOptions<WordsContext> options, IReadOnlyList<string> words)
        : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.HasDefaultSchema(TenantPlaceholder.Schema);
            Table(modelBuilder, "all words", "all words", words);
            foreach (var word in words)
            {
                Table(modelBuilder, $"word {word}", word, []);
            }
        }

        private static void Table(
            ModelBuilder modelBuilder, string entity, string name, IReadOnlyList<string> columns) =>
            modelBuilder.SharedTypeEntity<Dictionary<string, object>>(entity, table =>
            {
                table.ToTable(name);
                table.IndexerProperty<int>("id").ValueGeneratedNever();
                table.HasKey("id");
                foreach (var column in columns)
                {
                    table.IndexerProperty<int>(column);
                }
            });
    }
}

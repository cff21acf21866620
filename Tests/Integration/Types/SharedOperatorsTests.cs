using Data.Invoicing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Integration.Types;

/// <summary>citext in a schema that isn't on the path compares case-sensitively, and nobody says so but this.</summary>
public sealed class SharedOperatorsTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_extensions_type_whose_operators_are_not_found_is_refused_with_the_way_out_which_works()
    {
        await using var database = await WithCitextAsync("types");
        var options = Options("types");
        Assert.False(await EqualsAsync(database, "types"));

        var refusal = await Assert.ThrowsAsync<UnseenOperatorsException>(
            () => SharedOperators.RefuseUnseenAsync(database, options, Ct));

        Assert.Contains("types.citext", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("ALTER EXTENSION citext SET SCHEMA public", refusal.Message, StringComparison.Ordinal);
        await ExecuteAsync(database, "ALTER EXTENSION citext SET SCHEMA public");
        await SharedOperators.RefuseUnseenAsync(database, options, Ct);
        Assert.True(await EqualsAsync(database, "public"));
    }

    [Fact]
    public async Task What_is_not_shared_is_not_looked_at_and_a_path_of_the_login_counts()
    {
        await using var database = await WithCitextAsync("types");
        await SharedOperators.RefuseUnseenAsync(database, Options("others"), Ct);

        var name = new NpgsqlConnectionStringBuilder(database.ConnectionString).Database;
        await ExecuteAsync(database, $"ALTER DATABASE {name} SET search_path = public, types");
        database.Clear();

        await SharedOperators.RefuseUnseenAsync(database, Options("types"), Ct);
        Assert.True(await EqualsAsync(database, "types"));
    }

    [Fact]
    public async Task A_host_over_such_a_database_ends_whatever_was_decided_on_loading_types()
    {
        await using var database = await WithCitextAsync("types");
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Services.AddLogging().AddTenancy<InvoicingContext>(options =>
        {
            options.ConnectionString = database.ConnectionString;
            options.SharedSchemas.Add("types");
            options.LoadTypes = true;
        });
        using var host = builder.Build();
        var ended = new TaskCompletionSource();
        host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(ended.SetResult);

        await host.StartAsync(Ct);

        await ended.Task.WaitAsync(TimeSpan.FromMinutes(1), Ct);
    }

    private static TenancyOptions Options(string schema)
    {
        var options = new TenancyOptions();
        options.SharedSchemas.Add(schema);
        return options;
    }

    private async Task<NpgsqlDataSource> WithCitextAsync(string schema)
    {
        var database = NpgsqlDataSource.Create(
            await app.Server.ConnectionStringAsync(Ct) + ";Persist Security Info=true");
        await using var ask = database.CreateCommand(
            "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'citext')");
        Assert.SkipUnless(
            (bool)(await ask.ExecuteScalarAsync(Ct))!, "The server has no files of the extension citext.");
        await ExecuteAsync(database, $"CREATE SCHEMA {schema}; CREATE EXTENSION citext SCHEMA {schema}");
        return database;
    }

    /// <summary>As a tenant's statement compares a column with a constant.</summary>
    private static async Task<bool> EqualsAsync(NpgsqlDataSource database, string schema)
    {
        await using var ask = database.CreateCommand($"SELECT 'Ada'::{schema}.citext = 'ADA'");
        return (bool)(await ask.ExecuteScalarAsync(Ct))!;
    }

    private static async Task ExecuteAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Ct);
    }
}

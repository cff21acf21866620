using System.Net;
using System.Net.Sockets;
using Data.Invoicing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Tenancy;
using Tests.Integration.Fleet;
using Xunit;

namespace Tests.Integration.Types;

/// <summary>
/// Who has types of their own in a shared schema, and didn't say whether to load them, is told so after the start.
/// </summary>
public sealed class SharedTypesCheckTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Types_that_cannot_be_read_are_named_once_with_what_to_do()
    {
        var database = await DatabaseAsync(
            "CREATE TYPE public.mood AS ENUM ('good', 'bad'); CREATE TYPE public.\"Pair\" AS (a int, b text); CREATE " +
            "TYPE public.span AS RANGE (subtype = int4)");

        var warning = Assert.Single(await WarningsAsync(database, null));

        Assert.Contains(": public.\"Pair\", public.mood, public.span. ", warning, StringComparison.Ordinal);
        Assert.Contains("TenancyOptions.LoadTypes to true", warning, StringComparison.Ordinal);
        Assert.Contains("to false to hear no more", warning, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_many_five_are_named()
    {
        var database = await DatabaseAsync(
            "DO $$ BEGIN FOR i IN 1..7 LOOP EXECUTE format('CREATE TYPE public.e%s AS ENUM ()', i); END LOOP; END $$");

        Assert.Contains(": public.e1, public.e2, public.e3, public.e4, public.e5 and 2 more. ",
            Assert.Single(await WarningsAsync(database, null)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_has_decided_is_not_told(bool loadTypes) =>
        Assert.Empty(
            await WarningsAsync(await DatabaseAsync("CREATE TYPE public.mood AS ENUM ('good', 'bad')"), loadTypes));

    [Fact]
    public async Task Rows_arrays_domains_and_what_only_tenants_have_are_nobodys_concern_and_however_many_there_are_pg_type_is_not_read_through()
    {
        var database = await DatabaseAsync(
            """
            CREATE DOMAIN public.email AS text;
            CREATE TABLE public.countries (code text PRIMARY KEY);
            CREATE VIEW public.codes AS SELECT code FROM public.countries;
            DO $$ BEGIN
                FOR c IN 1..100 LOOP
                    EXECUTE format('CREATE SCHEMA c_%1$s; CREATE TYPE c_%1$s.size AS ENUM ()', c);
                    FOR t IN 1..20 LOOP EXECUTE format('CREATE TABLE c_%s.t_%s (x int)', c, t); END LOOP;
                END LOOP;
            END $$;
            """);
        await using var source = NpgsqlDataSource.Create(database);
        await using var explain = source.CreateCommand($"EXPLAIN {SharedTypesCheck.Query}");
        explain.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = ["public"] });
        var plan = new List<string>();
        await using (var rows = await explain.ExecuteReaderAsync(Ct))
        {
            while (await rows.ReadAsync(Ct))
            {
                plan.Add(rows.GetString(0));
            }
        }

        Assert.Contains(plan, line => line.Contains("pg_depend_reference_index", StringComparison.Ordinal));
        Assert.Contains(plan, line => line.Contains("pg_type_oid_index", StringComparison.Ordinal));
        Assert.DoesNotContain(plan,
            line => line.Contains("Seq Scan on pg_type", StringComparison.Ordinal)
                || line.Contains("Seq Scan on pg_depend", StringComparison.Ordinal));
        Assert.Empty(await WarningsAsync(database, null));
    }

    [Fact]
    public async Task Of_an_extensions_types_those_that_only_its_indexes_have_are_left_out()
    {
        var database = await DatabaseAsync("SELECT");
        await using var source = NpgsqlDataSource.Create(database);
        await using var available = source.CreateCommand(
            "SELECT count(*) FROM pg_available_extensions WHERE name IN ('pg_trgm', 'hstore')");
        Assert.SkipUnless(await available.ExecuteScalarAsync(Ct) is 2L,
            "The server has no files of the extensions pg_trgm and hstore.");
        await using var create = source.CreateCommand(
            "CREATE EXTENSION pg_trgm SCHEMA public; CREATE EXTENSION hstore SCHEMA public");
        await create.ExecuteNonQueryAsync(Ct);

        Assert.Contains(
            ": public.hstore. ", Assert.Single(await WarningsAsync(database, null)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_cannot_be_reached_is_not_its_business() =>
        Assert.Empty(await WarningsAsync("Host=127.0.0.1;Port=1", null));

    [Fact]
    public async Task A_server_that_does_not_answer_delays_neither_the_start_nor_the_end()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var warnings = new Warnings();
        await using var services = Services(
            $"Host=127.0.0.1;Port={((IPEndPoint)silent.LocalEndpoint).Port};Timeout=0", null, warnings);
        var check = Check(services);

        await check.StartAsync(Ct);
        using var asking = await silent.AcceptTcpClientAsync(Ct);
        Assert.False(check.ExecuteTask!.IsCompleted);
        await check.StopAsync(Ct);

        Assert.True(check.ExecuteTask.IsCompletedSuccessfully);
        Assert.Empty(warnings.Lines);
    }

    [Fact]
    public async Task The_migration_job_leaves_it_to_the_API()
    {
        var database = await DatabaseAsync("CREATE TYPE public.mood AS ENUM ('good', 'bad')");

        var (exitCode, output) = await Job.RunAsync(database, "Production");

        Assert.Equal(0, exitCode);
        Assert.DoesNotContain("LoadTypes", output, StringComparison.Ordinal);
    }

    private static async Task<IReadOnlyCollection<string>> WarningsAsync(string database, bool? loadTypes)
    {
        using var warnings = new Warnings();
        await using var services = Services(database, loadTypes, warnings);
        var check = Check(services);

        await check.StartAsync(Ct);
        await check.ExecuteTask!;
        return warnings.Lines;
    }

    private static ServiceProvider Services(string database, bool? loadTypes, Warnings warnings) =>
        new ServiceCollection()
            .AddLogging(logging => logging.AddProvider(warnings))
            .AddTenancy<InvoicingContext>(options =>
                (options.ConnectionString, options.LoadTypes) = (database, loadTypes)).BuildServiceProvider();

    /// <summary>As a host finds it.</summary>
    private static SharedTypesCheck Check(IServiceProvider services) =>
        services.GetServices<IHostedService>().OfType<SharedTypesCheck>().Single();

    private async Task<string> DatabaseAsync(string sql)
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Ct);
        return database;
    }
}

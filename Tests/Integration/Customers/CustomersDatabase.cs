using Data;
using Data.Customers;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Tenancy;
using Tests.Integration.Citus;
using Xunit;

namespace Tests.Integration.Customers;

/// <summary>
/// A database of one test's own with the sample's registry, and as many applications over it as the test wants.
/// </summary>
internal sealed class CustomersDatabase : IAsyncDisposable
{
    private readonly List<ServiceProvider> _applications = [];

    private CustomersDatabase(string connectionString)
    {
        ConnectionString = connectionString;
        Admin = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(connectionString) { ApplicationName = "the test itself" });
    }

    public string ConnectionString { get; }

    /// <summary>Not the application's.</summary>
    public NpgsqlDataSource Admin { get; }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<CustomersDatabase> CreateAsync(App app) =>
        await CreateAsync(await app.Server.ConnectionStringAsync(Ct));

    /// <summary>The same in a database that is there, and empty.</summary>
    public static async Task<CustomersDatabase> CreateAsync(string connectionString)
    {
        await MigrateAsync(connectionString);
        return new(connectionString);
    }

    /// <summary>An application by these logins, over a database that has the shared schema.</summary>
    /// <param name="owner">The owner's connection string, or that of a login that reads the registry.</param>
    /// <param name="serving">The serving login's; null for the owner's.</param>
    public static ServiceProvider Over(string owner, string? serving = null) =>
        new ServiceCollection().AddLogging().AddData(App.Configuration(owner, serving)).BuildServiceProvider();

    /// <summary>Makes the shared schema, with the registry and the ledger.</summary>
    public static async Task MigrateAsync(string connectionString)
    {
        // Not pooled: nobody uses that pool again, and a connection stays in it for five minutes. With a database for
        // each test, the server would run out of them.
        await using var connection = new NpgsqlConnection($"{connectionString};Pooling=false");
        await connection.OpenAsync(Ct);
        await using var shared = new CustomersContext(
            new DbContextOptionsBuilder<CustomersContext>()
                .UseNpgsql(connection, CustomersContext.History).Options);
        await using (await CitusCluster.AloneAsync(Ct))
        {
            await shared.Database.MigrateAsync(Ct);
        }

        await CitusCluster.ShareAsync(connectionString, "public.currencies", Ct);
    }

    /// <param name="warmPool">Its <c>Tenancy:WarmPool</c>.</param>
    /// <param name="settings">
    /// Appended to the connection string, in which a busy machine has more time for a connection than a request has.
    /// </param>
    /// <param name="log">Told everything.</param>
    public ServiceProvider Application(int warmPool = 0, string settings = "", ILoggerProvider? log = null)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([
            new($"ConnectionStrings:{DataRegistration.ConnectionName}", $"{ConnectionString};Timeout=15;{settings}"),
            new(DataRegistration.WarmPoolSetting, $"{warmPool}")]).Build();
        var services = new ServiceCollection().AddMetrics()
            .AddLogging(logging =>
                _ = log is null ? logging : logging.SetMinimumLevel(LogLevel.Trace).AddProvider(log));
        var application = services.AddData(configuration).BuildServiceProvider();
        _applications.Add(application);
        return application;
    }

    public static WarmPoolFiller Keeper(IServiceProvider application) =>
        ActivatorUtilities.CreateInstance<WarmPoolFiller>(application, NullLogger<WarmPoolFiller>.Instance);

    public static async Task<Customer> CreateAsync(IServiceProvider application, string slug,
        Func<InvoicingContext, Task>? firstData = null, CancellationToken? ct = null)
    {
        await using var scope = application.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<CustomerRegistry>()
            .CreateAsync(slug, "A test's customer", firstData, ct: ct ?? Ct);
    }

    public async Task<T> ScalarAsync<T>(string sql, params object[] parameters)
    {
        await using var command = Admin.CreateCommand(sql);
        command.Parameters.AddRange(parameters.Select(value => new NpgsqlParameter { Value = value }).ToArray());
        return (T)(await command.ExecuteScalarAsync(Ct))!;
    }

    /// <summary>The schemas that are spare, by identity: it stays when the name changes.</summary>
    public Task<uint[]> SparesAsync() => ScalarAsync<uint[]>(
        "SELECT coalesce(array_agg(n.oid ORDER BY n.oid), '{}') FROM tenancy.schemas AS s JOIN pg_namespace AS n ON " +
        "n.nspname = s.schema WHERE s.state = 'spare'");

    public Task<uint> IdentityAsync(string schema) =>
        ScalarAsync<uint>("SELECT oid FROM pg_namespace WHERE nspname = $1", schema);

    /// <summary>
    /// What the catalog says of a schema and all that is in it, rights included, with its name taken out.
    /// </summary>
    public Task<string> DescribeAsync(string schema) => ScalarAsync<string>(
        """
        WITH said (line) AS (
            SELECT concat_ws(' ', 'schema', nspname, nspowner::regrole, nspacl) FROM pg_namespace WHERE nspname = $1
            UNION ALL
            SELECT concat_ws(' ', 'default', defaclrole::regrole, defaclobjtype, defaclacl) FROM pg_default_acl WHERE defaclnamespace = to_regnamespace($1)
            UNION ALL
            SELECT concat_ws(' ', 'relation', relkind, relname, relowner::regrole, relacl) FROM pg_class WHERE relnamespace = to_regnamespace($1)
            UNION ALL
            SELECT concat_ws(' ', 'column', c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, pg_get_expr(d.adbin, d.adrelid))
            FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
            WHERE c.relnamespace = to_regnamespace($1) AND c.relkind = 'r'
            UNION ALL
            SELECT concat_ws(' ', 'index', pg_get_indexdef(indexrelid), indisvalid) FROM pg_index JOIN pg_class AS c ON c.oid = indrelid WHERE c.relnamespace = to_regnamespace($1)
            UNION ALL
            SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint WHERE connamespace = to_regnamespace($1)
            UNION ALL
            SELECT concat_ws(' ', 'sequence', pg_get_serial_sequence(format('%I.%I', nspname, relname), 'number')) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
            WHERE nspname = $1 AND relname = 'invoices'
        )
        SELECT string_agg(replace(line, $1, '*'), E'\n' ORDER BY replace(line, $1, '*') COLLATE "C") FROM said
        """, schema);

    public async ValueTask DisposeAsync()
    {
        foreach (var application in _applications)
        {
            await application.DisposeAsync();
        }

        await Admin.DisposeAsync();
    }
}

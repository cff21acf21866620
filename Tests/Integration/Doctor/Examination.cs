using Data.Customers;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Tests.Integration.Customers;
using Xunit;

namespace Tests.Integration.Doctor;

/// <summary>A database of one test's own, and the doctor of an application over it.</summary>
internal sealed class Examination : IAsyncDisposable
{
    private readonly CustomersDatabase _database;

    private Examination(CustomersDatabase database, string settings)
    {
        _database = database;
        Services = database.Application(settings: settings);
        Doctor = Services.GetRequiredService<TenancyDoctor>();
    }

    public IServiceProvider Services { get; }

    public TenancyDoctor Doctor { get; }

    public DoctorLimits Limits => Services.GetRequiredService<TenancyOptions>().Doctor;

    public string ConnectionString => _database.ConnectionString;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<Examination> StartAsync(App app, string settings = "") =>
        new(await CustomersDatabase.CreateAsync(app), settings);

    /// <summary>Over a server of the test's own.</summary>
    public static async Task<Examination> StartAsync(string connectionString) =>
        new(await CustomersDatabase.CreateAsync(connectionString), "");

    /// <summary>What the doctor says of one number now.</summary>
    public async Task<DoctorFinding> FindAsync(string id) =>
        Assert.Single((await Doctor.ExamineAsync(Ct)).Findings, finding => finding.Id == id);

    /// <summary>Waits for what the server's statistics tell a moment later.</summary>
    public async Task<DoctorFinding> FindAsync(string id, Func<DoctorFinding, bool> holds)
    {
        var found = await FindAsync(id);
        await Eventually.HoldsAsync(async () => holds(found = await FindAsync(id)));
        return found;
    }

    public Task<Customer> CreateAsync(string slug) => CustomersDatabase.CreateAsync(Services, slug);

    public Task<T> ScalarAsync<T>(string sql) => _database.ScalarAsync<T>(sql);

    /// <summary>
    /// Over a connection that is closed: then the statistics of what it did are everybody's.
    /// </summary>
    public async Task ExecuteAsync(params string[] statements)
    {
        await using var connection = await OpenAsync();
        foreach (var sql in statements)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync(Ct);
        }
    }

    /// <summary>A session that isn't the application's, nor pooled.</summary>
    public async Task<NpgsqlConnection> OpenAsync(string name = "a test")
    {
        var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(ConnectionString) { Pooling = false, ApplicationName = name }
                .ConnectionString);
        await connection.OpenAsync(Ct);
        return connection;
    }

    /// <summary>A dump that waits for a lock of the test's, with the locks that it has already.</summary>
    public async Task<Dump> DumpAsync() => await Dump.StartAsync(this);

    public ValueTask DisposeAsync() => _database.DisposeAsync();
}

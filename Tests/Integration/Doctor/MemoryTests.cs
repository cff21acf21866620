using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Tests.Integration.Customers;
using Xunit;

namespace Tests.Integration.Doctor;

/// <summary>The memory of one backend, times the pool.</summary>
public sealed class MemoryTests(App app)
{
    private const double Megabyte = 1 << 20;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_backend_that_grows_is_found_until_its_session_ends()
    {
        await using var database = await Examination.StartAsync(app, "Maximum Pool Size=10");
        database.Services.GetRequiredService<TenancyOptions>().BackendMemory = (long)(10 * 60 * Megabyte);
        var before = await database.FindAsync("backend-memory");
        Assert.Equal(DoctorVerdict.Ok, before.Verdict);
        Assert.SkipWhen(!before.Says.Contains("/proc", StringComparison.Ordinal), "The server isn't on this machine.");

        await using (var session = await database.OpenAsync())
        {
            // Rows that are sorted in memory stay there as long as the cursor.
            await using var grow = new NpgsqlCommand(
                """
                SET work_mem = '1GB'; BEGIN;
                DECLARE held CURSOR FOR SELECT repeat('x', 1000) || i FROM generate_series(1, 80000) AS i ORDER BY 1;
                FETCH 1 FROM held
                """, session);
            await grow.ExecuteNonQueryAsync(Ct);
            var found = await database.FindAsync("backend-memory");

            Assert.Equal(DoctorVerdict.Over, found.Verdict);
            Assert.InRange(found.Value!.Value, 10 * 80 * Megabyte, 10 * 300 * Megabyte);
            Assert.Contains("the pool's 10 connections", found.Says, StringComparison.Ordinal);
        }

        await database.FindAsync("backend-memory", one => one.Verdict == DoctorVerdict.Ok);
    }

    [Fact]
    public async Task Elsewhere_the_pools_own_connection_is_asked_if_its_login_may()
    {
        await using var database = await Examination.StartAsync(app);
        var serving = await app.Server.AddTenantsLoginAsync(database.ConnectionString, Ct);
        var user = new NpgsqlConnectionStringBuilder(serving).Username;
        await using var application = CustomersDatabase.Over(
            database.ConnectionString, $"{serving};Maximum Pool Size=7");
        var doctor = application.GetRequiredService<TenancyDoctor>();
        doctor.LooksLocally = false;

        var unknown = await FindAsync();
        await database.ExecuteAsync($"GRANT pg_read_all_stats TO {user}");
        var found = await FindAsync();

        Assert.Equal((DoctorVerdict.Unknown, null), (unknown.Verdict, unknown.Value));
        Assert.Contains($"GRANT pg_read_all_stats TO \"{user}\"", unknown.Advice, StringComparison.Ordinal);
        Assert.InRange(found.Value!.Value, 7 * Megabyte, 7 * 20 * Megabyte);
        Assert.Contains("pg_backend_memory_contexts", found.Says, StringComparison.Ordinal);

        async Task<DoctorFinding> FindAsync() =>
            Assert.Single((await doctor.ExamineAsync(Ct)).Findings, finding => finding.Id == "backend-memory");
    }
}

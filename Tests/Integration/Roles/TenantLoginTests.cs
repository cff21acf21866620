using System.Collections.Concurrent;
using Data;
using Microsoft.Extensions.Logging;
using Npgsql;
using Tenancy;
using Tests.Integration.Citus;
using Tests.Integration.Fleet;
using Xunit;

namespace Tests.Integration.Roles;

/// <summary>The login that serves customers, as the job makes it.</summary>
public sealed class TenantLoginTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Two_jobs_at_once_on_an_empty_database_make_one_login_that_reads_the_customers_rows()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        var tenants = app.Server.AsNewLogin(database);

        var both = await Task.WhenAll(
            Job.RunWithLoginAsync(database, tenants), Job.RunWithLoginAsync(database, tenants));

        Assert.All(both, job => Assert.True(job.ExitCode == 0, job.Output));
        Assert.Equal(12L,
            await ScalarAsync(tenants,
                "SELECT count(*) FROM customer_globex.invoices JOIN public.currencies ON code = currency_code"));
    }

    [Fact]
    public async Task A_password_that_changed_is_set_by_the_next_run_and_shown_to_nobody()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        var old = app.Server.AsNewLogin(database);
        var changed = new NpgsqlConnectionStringBuilder(old) { Password = "pässword ﬁve 'quoted\\' " + Guid.NewGuid() };

        var first = await Job.RunWithLoginAsync(database, old);
        var second = await Job.RunWithLoginAsync(database, changed.ConnectionString);
        var third = await Job.RunWithLoginAsync(database, changed.ConnectionString);

        Assert.Equal((0, 0, 0), (first.ExitCode, second.ExitCode, third.ExitCode));
        Assert.Equal(changed.Username, await ScalarAsync(changed.ConnectionString, "SELECT current_user::text"));
        Assert.Equal(
            "28P01", (await Assert.ThrowsAsync<PostgresException>(() => ScalarAsync(old, "SELECT 1"))).SqlState);
        Assert.Contains("Set the password", second.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(changed.Username!, third.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(changed.Password!, first.Output + second.Output + third.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_statement_of_the_serving_login_ends_at_the_ceiling()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        var tenants = app.Server.AsNewLogin(database);
        const string Setting = "Tenancy:StatementTimeout";

        var first = await Job.RunWithLoginAsync(database, tenants, (Setting, "00:00:30"));
        Assert.Equal("30s", await ScalarAsync(tenants, "SHOW statement_timeout"));
        var second = await Job.RunWithLoginAsync(database, tenants, (Setting, "00:00:00.200"));
        var third = await Job.RunWithLoginAsync(database, tenants, (Setting, "00:00:00.200"));

        var ended = await Assert.ThrowsAsync<PostgresException>(
            () => ScalarAsync(tenants + ";Application Name=late", "SELECT pg_sleep(60)"));
        Assert.Equal(PostgresErrorCodes.QueryCanceled, ended.SqlState);
        Assert.Equal((0, 0, 0), (first.ExitCode, second.ExitCode, third.ExitCode));
        Assert.Contains("may take 0.2 s", second.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("may take", third.Output, StringComparison.Ordinal);
        // The owner has none: a migration may take longer than any request.
        Assert.Equal("0", await ScalarAsync(database, "SHOW statement_timeout"));
    }

    [Fact]
    public async Task The_server_is_sent_a_verifier_and_never_the_password()
    {
        var tenants = new NpgsqlConnectionStringBuilder(app.Server.AsNewLogin(app.ConnectionString));
        using var log = new StatementsLog();

        await LoginAsync(tenants, log);
        tenants.Password = "another-" + tenants.Password;
        await LoginAsync(tenants, log);

        Assert.Contains(log.Lines,
            line => line.Contains("CREATE ROLE", StringComparison.Ordinal)
                && line.Contains("'SCRAM-SHA-256$4096:", StringComparison.Ordinal));
        Assert.Contains(log.Lines,
            line => line.Contains("ALTER ROLE", StringComparison.Ordinal)
                && line.Contains("'SCRAM-SHA-256$4096:", StringComparison.Ordinal));
        Assert.DoesNotContain(
            log.Lines, line => line.Contains(tenants.Password["another-".Length..], StringComparison.Ordinal));
    }

    [Fact]
    public async Task Many_at_once_make_one_login_and_agree_on_its_password()
    {
        var tenants = new NpgsqlConnectionStringBuilder(app.Server.AsNewLogin(app.ConnectionString));

        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => LoginAsync(tenants)));
        tenants.Password = Guid.NewGuid().ToString();
        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => LoginAsync(tenants)));

        Assert.Equal(1L,
            await ScalarAsync(tenants.ConnectionString,
                "SELECT count(*) FROM pg_roles WHERE rolname = current_user AND NOT (rolsuper OR rolcreaterole OR " +
                "rolcreatedb)"));
    }

    [Theory]
    [InlineData("ALTER ROLE {login} CREATEDB")]
    [InlineData("ALTER ROLE {login} CREATEROLE")]
    [InlineData("GRANT {owner} TO {login}")]
    public async Task A_login_that_may_do_more_than_serve_is_refused_and_left_as_it_is(string more)
    {
        // An owner that the tests' user made: since PostgreSQL 16 a user who isn't a superuser can't grant itself to
        // anybody.
        var (owner, serving) = await DatabaseOfAsync("CREATEROLE");
        var (made, tenants) = (
            new NpgsqlConnectionStringBuilder(owner).Username!, new NpgsqlConnectionStringBuilder(serving));
        await ScalarAsync(app.ConnectionString, $"CREATE ROLE {tenants.Username} LOGIN");
        await ScalarAsync(app.ConnectionString,
            more.Replace("{login}", tenants.Username, StringComparison.Ordinal)
                .Replace("{owner}", made, StringComparison.Ordinal));

        var refused = await Assert.ThrowsAsync<TenantLoginException>(() => LoginAsync(tenants, owner: owner));

        Assert.Contains("Name another login", refused.Message, StringComparison.Ordinal);
        Assert.Equal(false,
            await ScalarAsync(app.ConnectionString,
                $"SELECT pg_has_role('{tenants.Username}', 'tenancy_api', 'MEMBER') AND NOT " +
                $"pg_has_role('{tenants.Username}', '{made}', 'MEMBER')"));
    }

    [Fact]
    public async Task A_login_without_a_password_cannot_be_made()
    {
        var tenants = new NpgsqlConnectionStringBuilder(
            app.Server.AsNewLogin(app.ConnectionString)) { Password = null };

        Assert.Contains("Password=",
            (await Assert.ThrowsAsync<TenantLoginException>(() => LoginAsync(tenants))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_owner_who_is_no_superuser_but_creates_roles_can_do_all_of_it()
    {
        var (owner, tenants) = await DatabaseOfAsync("CREATEROLE");

        var job = await Job.RunWithLoginAsync(owner, tenants);

        Assert.True(job.ExitCode == 0, job.Output);
        Assert.Equal(12L,
            await ScalarAsync(tenants,
                "SELECT count(*) FROM customer_globex.invoices JOIN public.currencies ON code = currency_code"));
    }

    [Fact]
    public async Task An_owner_who_may_not_create_roles_is_told_what_to_do_and_the_job_ends_with_two()
    {
        var (owner, tenants) = await DatabaseOfAsync("NOCREATEROLE");

        var job = await Job.RunWithLoginAsync(owner, tenants);

        Assert.Equal(2, job.ExitCode);
        Assert.Contains("ALTER ROLE ... CREATEROLE", job.Output, StringComparison.Ordinal);
        Assert.Contains(
            $"CREATE ROLE \"{new NpgsqlConnectionStringBuilder(tenants).Username}\" LOGIN PASSWORD '...' IN ROLE " +
            "\"tenancy_api\";", job.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(
            new NpgsqlConnectionStringBuilder(tenants).Password!, job.Output, StringComparison.Ordinal);
    }

    /// <summary>A database that belongs to a user of its own, with this right.</summary>
    private async Task<(string Owner, string Tenants)> DatabaseOfAsync(string right)
    {
        CitusCluster.SkipOn("An owner who is no superuser needs a login to the nodes, which the test doesn't give him.");
        var database = await app.Server.ConnectionStringAsync(Ct);
        var owner = new NpgsqlConnectionStringBuilder(app.Server.AsNewLogin(database));
        await ScalarAsync(database, $"""
            CREATE ROLE {owner.Username} LOGIN {right} PASSWORD '{owner.Password}';
            -- Only a superuser gives a database to a role that he can't become.
            GRANT {owner.Username} TO CURRENT_USER;
            ALTER DATABASE {owner.Database} OWNER TO {owner.Username};
            """);
        if (right == "CREATEROLE")
        {
            // Since PostgreSQL 16 who creates roles rules those that he made himself; this one others have made.
            await ScalarAsync(database, $"GRANT tenancy_api TO {owner.Username} WITH ADMIN OPTION");
        }

        return (owner.ConnectionString, app.Server.AsNewLogin(database));
    }

    private async Task LoginAsync(
        NpgsqlConnectionStringBuilder tenants, ILoggerProvider? statements = null, string? owner = null)
    {
        owner ??= app.ConnectionString;
        using var logging = LoggerFactory.Create(builder =>
        {
            builder.SetMinimumLevel(LogLevel.Trace);
            if (statements is not null)
            {
                builder.AddProvider(statements);
            }
        });
        await using var source = new NpgsqlDataSourceBuilder(owner).UseLoggerFactory(logging).Build();
        var options = new TenancyOptions { ConnectionString = owner,
            TenantConnectionString = tenants.ConnectionString };
        await new TenantLogin(source, options, logging.CreateLogger<TenantLogin>())
            .EnsureAsync(DataRegistration.ApiRole, Ct);
    }

    private static async Task<object?> ScalarAsync(string database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Ct);
    }

    /// <summary>Everything that is logged, the statements that Npgsql sends included.</summary>
    private sealed class StatementsLog : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) =>
                Lines.Enqueue(formatter(state, exception) + exception);

        public void Dispose()
        {
        }
    }
}

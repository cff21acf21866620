using Microsoft.Extensions.DependencyInjection;

namespace Tenancy;

/// <summary>What <see cref="TenancyOptions"/> have to be. A host that has others doesn't start.</summary>
internal static partial class TenancyOptionsRules
{
    public static void AddTenancyOptions(this IServiceCollection services, Action<TenancyOptions> configure) =>
        services.AddOptions<TenancyOptions>().Configure(configure)
            .Validate(options => !string.IsNullOrWhiteSpace(options.ConnectionString),
                "TenancyOptions.ConnectionString is empty: there is no database to reach.")
            .Validate(
                options => !TenantDataSource.HasSearchPath(options.ConnectionString)
                    && !TenantDataSource.HasSearchPath(options.TenantConnectionString),
                "A connection string sets a search path (Search Path=, or search_path in Options=): a name without a " +
                "schema would then find one tenant's tables " +
                "whoever is served, and PgBouncer refuses such a connection. Remove it: every statement names " +
                "its schema.")
            .Validate(options => options.DirectoryCacheTime > TimeSpan.Zero,
                "TenancyOptions.DirectoryCacheTime has to be longer than zero.")
            .Validate(options => options.DirectoryListenTime is not { } time || time > TimeSpan.Zero,
                "TenancyOptions.DirectoryListenTime has to be longer than zero, or null.")
            .Validate(options => options.LockTimeout >= TimeSpan.FromMilliseconds(1) && IsOfServer(options.LockTimeout),
                "TenancyOptions.LockTimeout has to be from 1 ms to 24 days.")
            .Validate(options => options.StatementTimeout is not { } time
                    || time >= TimeSpan.FromMilliseconds(1) && IsOfServer(time),
                "TenancyOptions.StatementTimeout has to be from 1 ms to 24 days, or null.")
            .Validate(options => options.FleetInterval > TimeSpan.Zero,
                "TenancyOptions.FleetInterval has to be longer than zero.")
            .Validate(options => options.DoctorInterval is not { } time || time > TimeSpan.Zero,
                "TenancyOptions.DoctorInterval has to be longer than zero, or null.")
            .Validate(options => options.Doctor.IsValid,
                "TenancyOptions.Doctor has a limit below zero, or a share above 1.")
            .Validate(
                options => options.ConnectTimeout >= TimeSpan.FromSeconds(1)
                    && options.ConnectTimeout.TotalSeconds <= TenancyOptions.LongestConnectTimeout,
                "TenancyOptions.ConnectTimeout has to be from 1 to 1024 seconds.")
            .Validate(
                options => options.Databases.Values.Select(database => database.WarmPool).OfType<int>()
                    .Append(options.WarmPool).All(spares => spares is >= 0 and <= TenancyOptions.LargestWarmPool),
                "TenancyOptions.WarmPool, and that of each of its Databases, has to be from 0 to 1000 spare schemas.")
            .Validate(options => options.BackendMemory is 0 or >= TenancyOptions.LeastBackendMemory,
                "TenancyOptions.BackendMemory has to be at least 64 MB (67108864), or 0 for no limit.")
            .Validate(options => options.ParallelOperations is >= 0 and <= 64,
                "TenancyOptions.ParallelOperations has to be from 0 to 64.")
            .Validate(
                options => options.TenantRoles is null || TenantDataSource.HasLoginOfItsOwn(options),
                "TenancyOptions.TenantRoles needs a login that serves tenants and isn't the owner: set " +
                "TenancyOptions.TenantConnectionString, with another user name.")
            .Validate(
                options => options.SharedTables.All(table => table.Split('.') is [{ Length: > 0 }, { Length: > 0 }]),
                "TenancyOptions.SharedTables names tables with their schemas: schema.table, or schema.*.")
            .Validate(
                options => options.Joined.All(table => table.Split('.') is [{ Length: > 0 }, not ("" or "*")]),
                "ShareWithTenants names each table with its schema: schema.table.")
            .Validate(options => options.Databases.Keys.All(name => DatabaseName().IsMatch(name)),
                "TenancyOptions.Databases has a name that can't be one: use a letter, then up to 62 of a-z, 0-9 and _.")
            .Validate(options => !options.Databases.ContainsKey(TenancyOptions.FirstDatabase),
                "TenancyOptions.Databases has the name 'first', which means the first database: use another one.")
            .Validate(
                options => options.Databases.Values.All(database =>
                    !string.IsNullOrWhiteSpace(database.ConnectionString)
                    && !TenantDataSource.HasSearchPath(database.ConnectionString)
                    && !TenantDataSource.HasSearchPath(database.TenantConnectionString)),
                "Each of TenancyOptions.Databases needs a ConnectionString, without a search path.")
            .Validate(
                options => string.IsNullOrWhiteSpace(options.TenantConnectionString) || options.Databases.Values
                    .All(database => !string.IsNullOrWhiteSpace(database.TenantConnectionString)),
                "Each of TenancyOptions.Databases needs a TenantConnectionString, because the first database has " +
                "one: its tenants would be served with the owner's rights.")
            .Validate(
                options => options.Databases.Values.Select(database => database.ConnectionString)
                    .Append(options.ConnectionString).Select(Place).Distinct().Count() == options.Databases.Count + 1,
                "Two of the first database and TenancyOptions.Databases are the same database of the same server.")
            .ValidateOnStart();

    private static (string?, int, string) Place(string connectionString)
    {
        var settings = new Npgsql.NpgsqlConnectionStringBuilder(connectionString);
        return (settings.Host, settings.Port, TenantDataSource.DatabaseOf(settings));
    }

    [System.Text.RegularExpressions.GeneratedRegex(@"^[a-z][a-z0-9_]{0,62}\z")]
    private static partial System.Text.RegularExpressions.Regex DatabaseName();

    /// <summary>PostgreSQL counts milliseconds in 31 bits.</summary>
    private static bool IsOfServer(TimeSpan time) => time.TotalMilliseconds <= int.MaxValue;
}

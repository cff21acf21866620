using Npgsql;

namespace Tenancy;

/// <summary>
/// The data sources, hence the pools, of all tenants together, and the settings that schema-per-tenant asks of them:
/// the owner's, that of the login that serves tenants, where the two differ, and that of the guarded contexts.
/// </summary>
internal static class TenantDataSource
{
    /// <summary>The owner's.</summary>
    public static NpgsqlDataSource Create(TenancyOptions options, Action<NpgsqlDataSourceBuilder>? configure = null) =>
        Create(options.ConnectionString, options, guarded: false, configure);

    /// <summary>
    /// The same without the reset, for EF's contexts alone: the guard sees each tenant's command, so a session has
    /// nothing to be reset.
    /// </summary>
    public static GuardedDataSource CreateGuarded(
        TenancyOptions options, Action<NpgsqlDataSourceBuilder>? configure = null)
    {
        var owner = Create(options.ConnectionString, options, guarded: true, configure);
        return new(owner, HasOwnLogin(options)
            ? Create(options.TenantConnectionString!, options, guarded: true, configure)
            : owner);
    }

    /// <summary>
    /// The tenants', which is the owner's unless there is a login of their own: one pool then, not two.
    /// </summary>
    public static NpgsqlDataSource CreateForTenants(
        NpgsqlDataSource owner, TenancyOptions options, Action<NpgsqlDataSourceBuilder>? configure = null) =>
            HasOwnLogin(options)
                ? Create(options.TenantConnectionString!, options, guarded: false, configure)
                : owner;

    /// <summary>For notices of changed tenants: unpooled, because it listens as long as it is open.</summary>
    public static NpgsqlDataSource CreateListening(TenancyOptions options) => Create(
        options.ListenConnectionString ?? options.ConnectionString, options, guarded: false, builder =>
        {
            builder.ConnectionStringBuilder.Pooling = false;
            builder.ConnectionStringBuilder.ApplicationName = "tenancy directory";
        });

    /// <summary>Whether tenants are served by another user than the owner.</summary>
    public static bool HasLoginOfItsOwn(TenancyOptions options) =>
        HasOwnLogin(options)
            && new NpgsqlConnectionStringBuilder(options.TenantConnectionString).Username is { Length: > 0 } user
            && user != new NpgsqlConnectionStringBuilder(options.ConnectionString).Username;

    private static bool HasOwnLogin(TenancyOptions options) =>
        !string.IsNullOrWhiteSpace(options.TenantConnectionString)
            && options.TenantConnectionString != options.ConnectionString;

    /// <summary>The database that a connection string names; the user's where it names none.</summary>
    public static string DatabaseOf(NpgsqlConnectionStringBuilder settings) =>
        settings.Database ?? settings.Username ?? "";

    /// <summary>Whether a connection string sets a search path, by <c>Search Path=</c> or by <c>Options=</c>.</summary>
    public static bool HasSearchPath(string? connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        return !string.IsNullOrEmpty(settings.SearchPath)
            || settings.Options?.Contains("search_path", StringComparison.OrdinalIgnoreCase) is true;
    }

    private static NpgsqlDataSource Create(
        string connectionString, TenancyOptions options, bool guarded, Action<NpgsqlDataSourceBuilder>? configure)
    {
        var builder = new NpgsqlDataSourceBuilder(connectionString);
        var settings = builder.ConnectionStringBuilder;

        // The guard lets nothing stay in the session, so there is nothing to discard when a connection goes back: 7 to
        // 12 % of the median request. Anybody's commands may leave something.
        if (guarded)
        {
            Default("No Reset On Close", () => settings.NoResetOnClose = true);
        }

        // A backend's catalog caches grow by some 130 MB per 1,000 schemas of 5 tables and never shrink: it lives for
        // 30 minutes, or until it has met too many (BackendMemory).
        Default("Connection Lifetime", () => settings.ConnectionLifetime = 1800);
        // Each backend pays that, so there are few: more than some per core of the server only wait for each other.
        Default("Maximum Pool Size", () => settings.MaxPoolSize = 30);
        // Npgsql's default of 15 s is how long each request would hang while the server is gone.
        Default("Timeout", () => settings.Timeout = (int)options.ConnectTimeout.TotalSeconds);
        // Statements times tenants outgrow any limit of prepared statements: slower than none at 1,000 tenants.
        Default("Max Auto Prepare", () => settings.MaxAutoPrepare = 0);
        // Every table adds two rows to pg_type, and Npgsql's queries read that catalog from end to end, whatever
        // schemas they ask for. The schemas are named whether or not types are loaded: an application that turns
        // loading on by ConfigureDataSource shouldn't get the types of all tenants.
        builder.ConfigureTypeLoading(types =>
            types.EnableTypeLoading(options.LoadTypes is true)
                .SetTypeLoadingSchemas(["pg_catalog", .. options.SharedSchemas]));
        builder.ConfigureTracing(new DatabaseSpans(DatabaseOf(settings), options.SharedSchemas).Configure);

        configure?.Invoke(builder);
        // Last, so that the application's word stands.
        options.ConfigureDataSource?.Invoke(builder);
        var source = builder.Build();
        options.Backends.Add(source);
        return source;

        void Default(string keyword, Action set)
        {
            if (!settings.ShouldSerialize(keyword))
            {
                set();
            }
        }
    }
}

/// <summary>The data sources of EF's contexts. Nobody can inject them, so other commands don't meet theirs.</summary>
/// <param name="Owner">For contexts of the shared schema.</param>
/// <param name="Tenants">For tenant contexts; the same where there is one login.</param>
internal sealed record GuardedDataSource(NpgsqlDataSource Owner, NpgsqlDataSource Tenants)
    : IAsyncDisposable, IDisposable
{
    public void Dispose()
    {
        Tenants.Dispose();
        Owner.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await Tenants.DisposeAsync();
        await Owner.DisposeAsync();
    }
}

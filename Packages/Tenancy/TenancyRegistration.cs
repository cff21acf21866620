using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Tenancy.Databases;
using Tenancy.Doctor;
using Tenancy.Fleet;
using Tenancy.Leasing;
using Tenancy.Migrations;
using Tenancy.Registries;
using Tenancy.Roles;
using Tenancy.Transfer;

namespace Tenancy;

/// <summary>Adds the library to an application.</summary>
public static class TenancyRegistration
{
    /// <summary>
    /// Registers the data source, one tenant context, the directory, provisioning, fleet migration and its
    /// verification. A <typeparamref name="TContext"/> that is injected into a scope serves that scope's
    /// <see cref="CurrentTenant"/>. It is leased from a pool, unless its type has a field, a settable property or a
    /// service of its own: then it is made for the scope (<see cref="TenancyOptions.PerScope"/>).
    /// </summary>
    /// <remarks>
    /// For an application with a registry of its own and one tenant context. <see cref="TenancyBuilder"/> has more:
    /// several contexts, a registry, seeding.
    /// </remarks>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Sets <see cref="TenancyOptions"/>.</param>
    /// <param name="context">Adds to the tenant context's options, e.g. logging; the provider is set already.</param>
    /// <typeparam name="TContext">A context whose tables are a tenant's.</typeparam>
    public static IServiceCollection AddTenancy<TContext>(
        this IServiceCollection services, Action<TenancyOptions> configure,
        Action<DbContextOptionsBuilder>? context = null)
        where TContext : DbContext
    {
        RefuseSecond(services);
        AddCore(services, configure);
        var builder = new TenantContextBuilder<TContext>();
        _ = context is null ? builder : builder.Configure(context);
        AddContext(services, builder);
        return services;
    }

    /// <summary>
    /// Adds the library to an application, see <see cref="TenancyBuilder"/>, with a health check, <c>tenancy</c>, and
    /// the library's traces and metrics where the application exports any.
    /// </summary>
    /// <param name="builder">The application's.</param>
    /// <param name="connectionName">
    /// The name of the <c>ConnectionStrings</c> entry; its value becomes
    /// <see cref="TenancyOptions.ConnectionString"/>, the owner's. Tenants are served by the same login unless
    /// <see cref="TenancyOptions.TenantConnectionString"/> is set.
    /// </param>
    /// <param name="configure">Says which contexts are the tenants' and who the tenants are.</param>
    /// <remarks>
    /// In Development the host's start fails where a model or a migration can't be a tenant's, and says all of it.
    /// </remarks>
    /// <exception cref="InvalidOperationException">It was called before: one application has one database of tenants,
    /// and one call names all its contexts. Or no context was added, or no registry.</exception>
    public static TBuilder AddTenancy<TBuilder>(
        this TBuilder builder, string connectionName, Action<TenancyBuilder> configure)
        where TBuilder : IHostApplicationBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(connectionName);
        ArgumentNullException.ThrowIfNull(configure);
        RefuseSecond(builder.Services);
        AddCore(builder.Services, options =>
            options.ConnectionString = builder.Configuration.GetConnectionString(connectionName) ?? "");
        var tenancy = new TenancyBuilder(
            builder.Services, suffix => builder.Configuration.GetConnectionString(connectionName + suffix));
        configure(tenancy);
        tenancy.Finish();
        builder.Services.AddHostedService<MigrationsCheck>();
        builder.Services.AddHealthChecks().AddCheck<TenancyHealthCheck>("tenancy", tags: ["ready"])
            .AddCheck<DoctorHealthCheck>("tenancy doctor", tags: ["ready"]);
        // Heard where the application exports its telemetry.
        builder.Services.ConfigureOpenTelemetryTracerProvider(tracing => tracing.AddSource(TenancyTelemetry.Name))
            .ConfigureOpenTelemetryMeterProvider(metrics => metrics.AddMeter(TenancyTelemetry.Name));
        return builder;
    }

    private static void AddCore(IServiceCollection services, Action<TenancyOptions> configure)
    {
        services.AddTenancyOptions(configure);
        services.TryAddSingleton(Options);
        services.AddDatabases();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<TenancyMetrics>();
        services.TryAddSingleton<DatabaseProbe>();
        services.AddHybridCache();
        services.AddSingleton<TenantCache>();
        AddDataSources(services);
        services.AddScoped<CurrentTenant>();
        services.AddSingleton(provider => MigrationCompiler.Find([.. provider.GetServices<TenantContext>()]));
        services.AddSingleton<SchemaVersions>();
        services.AddSingleton(provider => new TenantDirectory(
            provider.GetRequiredService<HybridCache>(), provider.GetRequiredService<IServiceScopeFactory>(),
            provider.GetRequiredService<TenancyOptions>(), provider.GetRequiredService<SchemaVersions>(),
            provider.GetRequiredService<TenantDatabases>(), provider.GetService<TenancyMetrics>()));
        services.AddHostedService<DirectoryListener>();
        services.AddSingleton<SchemaProvisioner>();
        services.AddSingleton<TenantSlugs>();
        services.AddSingleton<Tenants>();
        services.AddSingleton(provider => new FleetMigrator(
            Owner(provider), provider.GetRequiredService<CompiledMigrations>(),
            provider.GetRequiredService<SchemaVersions>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<Microsoft.Extensions.Logging.ILogger<FleetMigrator>>(),
            provider.GetService<TenancyMetrics>())
        {
            Slugs = provider.GetRequiredService<TenantSlugs>(),
            Doctor = provider.GetRequiredService<TenancyDoctor>(),
            Vacuum = provider.GetRequiredService<CatalogVacuum>(),
            Others = Others(provider),
        });
        services.AddSingleton<TenantAdoption>();
        services.AddSingleton<TenantCopy>();
        services.AddSingleton<SourceTenants>().AddSingleton<TenantLandings>();
        services.AddSingleton(provider => new TenantTransfer(
            Owner(provider), provider.GetRequiredService<CompiledMigrations>(),
            provider.GetRequiredService<SourceTenants>(), provider.GetRequiredService<TenantLandings>(),
            provider.GetRequiredService<TimeProvider>(), provider));
        services.AddSingleton(provider => new TenantRemoval(
            Owner(provider), provider.GetRequiredService<Tenants>(), provider.GetRequiredService<IServiceScopeFactory>(),
            new(Owner(provider), provider.GetRequiredService<TenantRoles>(),
                provider.GetRequiredService<TenancyOptions>(), provider.GetRequiredService<IServiceScopeFactory>()))
        {
            Vacuum = provider.GetRequiredService<CatalogVacuum>(),
            Moving = provider.GetRequiredService<TenancyOptions>().Databases.Count > 0
                ? provider.GetRequiredService<MovingSchemas>()
                : null,
        });
        services.AddSingleton<MovingSchemas>();
        services.AddSingleton(provider => new TenantDatabaseMove(
            provider, provider.GetRequiredService<TenantDatabases>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new TenantMove(
            Owner(provider), provider.GetRequiredService<TenancyOptions>(),
            provider.GetRequiredService<IServiceScopeFactory>(), provider.GetRequiredService<TimeProvider>()));
        services.AddOperationKinds();
        services.AddSingleton(TenantTaskRegistration.Create);
        services.AddSingleton<TenantSearch>();
        // As TenantSearch: it answers requests.
        services.AddSingleton(provider => new FleetReader(
            provider.GetRequiredService<GuardedDataSource>().Owner,
            provider.GetRequiredService<CompiledMigrations>(), provider.GetRequiredService<SchemaVersions>())
        {
            Name = provider.GetRequiredService<TenancyOptions>().Database, Others = Others(provider),
        });
        services.AddSingleton<FleetVerifier>();
        services.AddDoctor();
        services.AddSingleton<TenantLogin>();
        services.AddSingleton<TenantRoles>();
        services.AddSingleton<FleetMonitor>();
        services.AddHostedService(provider => provider.GetRequiredService<FleetMonitor>());
        services.AddHostedService<SharedTypesCheck>();
    }

    private static TenancyOptions Options(IServiceProvider provider)
    {
        var options = provider.GetRequiredService<IOptions<TenancyOptions>>().Value;
        if (options.Databases.Count > 0)
        {
            options.IsRegistered = async (schema, ct) =>
            {
                await using var scope = provider.CreateAsyncScope();
                return scope.ServiceProvider.GetService<ITenantRegistry>() is { } registry
                    && (await registry.FindSlugsAsync([schema], ct)).Count > 0;
            };
        }

        return options;
    }

    private static void AddDataSources(IServiceCollection services)
    {
        services.AddKeyedSingleton(TenancyOptions.OwnerKey, (provider, _) => TenantDataSource.Create(
            provider.GetRequiredService<TenancyOptions>(), builder => Log(builder, provider)));
        services.AddKeyedSingleton(TenancyOptions.TenantsKey, (provider, _) => TenantDataSource.CreateForTenants(
            Owner(provider), provider.GetRequiredService<TenancyOptions>(), builder => Log(builder, provider)));
        services.AddSingleton(provider => TenantDataSource.CreateGuarded(
            provider.GetRequiredService<TenancyOptions>(), builder => Log(builder, provider)));
        services.AddSingleton(provider => new TenancyPools(provider));
        // One that the application has registered is the application's: neither used nor replaced.
        services.TryAddSingleton(Owner);
    }

    /// <summary>One more context whose tables every tenant has.</summary>
    internal static void AddContext<TContext>(IServiceCollection services, TenantContextBuilder<TContext> context)
        where TContext : DbContext
    {
        RefuseOtherRegistrations<TContext>(services);
        services.AddOptions<TenancyOptions>().Validate(
            options => (context.Lease ?? options.Lease) is not ContextLease.Pooled
                || !context.IsScoped && ContextState.TakesOptionsAlone(typeof(TContext)),
            $"Pooled() can't be right for {typeof(TContext).Name}: its constructor takes more than its options, or " +
            "its options are configured with a scope's services, and a pooled context would keep one request's " +
            "services for the next. Leave Pooled() out.");
        AddLease(services, context);
        // Its services may be a scope's, which nothing that lives longer may have.
        var needsScope = context.IsScoped || !ContextState.TakesOptionsAlone(typeof(TContext));
        services.AddDbContextFactory<TContext>(
            lifetime: needsScope ? ServiceLifetime.Scoped : ServiceLifetime.Singleton);
        services.AddSingleton(provider => needsScope
            ? new TenantContextFactory<TContext>(provider.GetRequiredService<IServiceScopeFactory>())
            : new TenantContextFactory<TContext>(provider.GetRequiredService<IDbContextFactory<TContext>>()));
        services.AddScoped<AcrossTenants<TContext>>();
        services.AddSingleton(provider => new TenantContext(
            typeof(TContext), context.Migrations ?? typeof(TContext).Assembly,
            provider.GetRequiredService<TenantContextFactory<TContext>>().CreateForNobody));
        services.AddHostedService<RegistrationCheck<TContext>>();
    }

    /// <summary>
    /// Lets this process make the spare schemas that <see cref="TenancyOptions.WarmPool"/> asks for, in the background:
    /// for applications that serve, after <c>AddTenancy</c>. A migration job leaves it out, and so does who
    /// serves with a login that makes no schemas. No spares are made while the number is 0. Also migrates what an older
    /// build makes after the migration job has ended (<see cref="LateTenantMigrator"/>).
    /// </summary>
    /// <param name="services">The application's services.</param>
    public static IServiceCollection AddWarmPool(this IServiceCollection services) =>
        services.AddHostedService<WarmPoolFiller>().AddHostedService<LateTenantMigrator>();

    /// <summary>
    /// Makes a context a tenant's: its commands are guarded and rewritten, its history table is in the tenant's schema,
    /// its model is checked when it is built. <c>AddTenancy</c> calls it; design-time factories and hand-made
    /// options call it themselves, after <c>UseNpgsql</c>. Such a context runs as its login, also where tenants have
    /// roles (<see cref="TenancyOptions.TenantRoles"/>).
    /// </summary>
    /// <param name="options">The context's.</param>
    /// <param name="tenancy">Whose shared tables and schemas the guard allows, and whose types the model may have; the
    /// defaults of <see cref="TenancyOptions"/> if null.</param>
    /// <param name="replaceSchema">See <see cref="TenantContextBuilder{TContext}.ReplaceSchema"/>.</param>
    public static DbContextOptionsBuilder UseTenancy(
        this DbContextOptionsBuilder options, TenancyOptions? tenancy = null, params string[] replaceSchema) =>
            Apply(options, tenancy, metrics: null, roles: null, databases: null, replaceSchema);

    private static void AddLease<TContext>(IServiceCollection services, TenantContextBuilder<TContext> context)
        where TContext : DbContext
    {
        if (!context.IsScoped && ContextState.TakesOptionsAlone(typeof(TContext)))
        {
            services.AddDbContextPool<TContext>(Configure);
        }
        else
        {
            services.AddDbContext<TContext>(Configure, ServiceLifetime.Scoped,
                context.IsScoped ? ServiceLifetime.Scoped : ServiceLifetime.Singleton);
        }

        // The pool serves scopes alone, whose lease ends once, with the scope, however often the context is disposed
        // of. A pooled context in somebody's hands could be given back twice, and then two would hold it, for two
        // tenants: what isn't a scope's is made anew.
        var pooled = services.Last(service => service.ServiceType == typeof(TContext)).ImplementationFactory;
        services.RemoveAll<TContext>();
        // Reflection, so once and not for each request.
        var hasState = new Lazy<bool>(() => ContextState.Has(typeof(TContext)));
        services.AddScoped(provider =>
        {
            var leased = pooled is not null && Pools(provider)
                ? (TContext)pooled(provider)
                : ActivatorUtilities.CreateInstance<TContext>(
                    provider, provider.GetRequiredService<DbContextOptions<TContext>>());
            TenantBinding.Of(leased).Follow(provider.GetRequiredService<CurrentTenant>());
            return leased;
        });

        bool Pools(IServiceProvider provider) => !context.IsScoped
            && (context.Lease ?? provider.GetRequiredService<TenancyOptions>().Lease) switch
            {
                null => !hasState.Value,
                var forced => forced == ContextLease.Pooled,
            };

        void Configure(IServiceProvider provider, DbContextOptionsBuilder options)
        {
            options.UseNpgsql(provider.GetRequiredService<GuardedDataSource>().Tenants, npgsql =>
                _ = context.Migrations is { } migrations ? npgsql.MigrationsAssembly(migrations) : npgsql);
            var tenancy = provider.GetRequiredService<TenancyOptions>();
            Apply(options, tenancy, provider.GetRequiredService<TenancyMetrics>(), tenancy.RoleSql,
                provider.GetRequiredService<TenantDatabases>(), context.Replaced);
            context.Apply(provider, options);
            OptionRules.RefuseSeeding(options.Options);
        }
    }

    private static void RefuseSecond(IServiceCollection services)
    {
        if (services.Any(service => service.ServiceType == typeof(CurrentTenant)))
        {
            throw new InvalidOperationException(
                "AddTenancy was called already. One application has one database of tenants, and one call names all " +
                "its tenant contexts: builder.AddTenancy(\"name\", tenancy => tenancy.AddContext<A>().AddContext<B>()).");
        }
    }

    /// <summary>An earlier registration would win silently, or be lost silently.</summary>
    private static void RefuseOtherRegistrations<TContext>(IServiceCollection services) where TContext : DbContext
    {
        if (services.FirstOrDefault(service =>
            service.ServiceType == typeof(TContext) || service.ServiceType == typeof(DbContextOptions<TContext>)
                || service.ServiceType == typeof(IDbContextFactory<TContext>)
                || service.ServiceType == typeof(IDbContextOptionsConfiguration<TContext>)) is not null)
        {
            throw new InvalidOperationException(
                $"{typeof(TContext).Name} is registered before AddTenancy, by AddDbContext, AddDbContextPool, " +
                "AddDbContextFactory, AddNpgsqlDbContext or the like, or twice by AddContext. Remove that: " +
                "AddTenancy " +
                "registers the context, and Configure (or AddTenancy's parameter 'context') takes what you set there.");
        }
    }

    /// <summary>The databases besides the first one; null in each of them.</summary>
    internal static TenantDatabases? Others(IServiceProvider provider) =>
        provider.GetRequiredService<TenancyOptions>().Database is null
            ? provider.GetRequiredService<TenantDatabases>()
            : null;

    private static NpgsqlDataSource Owner(IServiceProvider provider) =>
        provider.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.OwnerKey);

    private static void Log(NpgsqlDataSourceBuilder builder, IServiceProvider provider) =>
        builder.UseLoggerFactory(provider.GetService<Microsoft.Extensions.Logging.ILoggerFactory>());

    private static DbContextOptionsBuilder Apply(
        DbContextOptionsBuilder options, TenancyOptions? tenancy, TenancyMetrics? metrics, TenantRoleSql? roles,
        TenantDatabases? databases, IReadOnlyCollection<string> replaced)
    {
        ArgumentNullException.ThrowIfNull(options);
        tenancy ??= new();
        new NpgsqlDbContextOptionsBuilder(options)
            .MigrationsHistoryTable(HistoryRepository.DefaultTableName, TenantPlaceholder.Schema);
        ((IDbContextOptionsBuilderInfrastructure)options)
            .AddOrUpdateExtension(
                new TenancyExtension(
                    new([.. tenancy.SharedTables], [.. tenancy.SharedSchemas], [.. tenancy.SharedFunctions]),
                    tenancy.LoadTypes is true, replaced)
                {
                    Metrics = metrics,
                    Roles = roles,
                    Databases = databases,
                    Unguarded = tenancy.Unguarded,
                });
        OptionRules.Replace(options, tenancy.EfOptimizations);
        return options;
    }

    /// <summary>
    /// Binds a hand-made context (not from <see cref="TenantContextFactory{TContext}"/>) to its tenant.
    /// </summary>
    /// <exception cref="InvalidOperationException">It serves another tenant already, or its options lack
    /// <see cref="UseTenancy"/>.</exception>
    public static TContext For<TContext>(this TContext context, Tenant tenant) where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(context);
        TenantBinding.Of(context).Bind(tenant);
        return context;
    }

    /// <summary>The tenant that the context serves.</summary>
    /// <exception cref="NoTenantException">Nobody.</exception>
    public static Tenant Tenant(this DbContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return TenantBinding.Of(context).Value;
    }
}

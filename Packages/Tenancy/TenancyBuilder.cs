using System.Collections.Immutable;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy.Registries;

namespace Tenancy;

/// <summary>
/// Says which contexts are the tenants' and who the tenants are: from
/// <see cref="TenancyRegistration.AddTenancy{TBuilder}(TBuilder, string, Action{TenancyBuilder})"/>.
/// </summary>
public sealed class TenancyBuilder
{
    private readonly HashSet<Type> _contexts = [];
    private readonly HashSet<Type> _seeded = [];
    private bool _hasRegistry;

    private readonly Func<string, string?> _connectionString;

    /// <param name="services">The application's.</param>
    /// <param name="connectionString">The connection string of that name, by what comes after the first one's.</param>
    internal TenancyBuilder(IServiceCollection services, Func<string, string?> connectionString) =>
        (Services, _connectionString) = (services, connectionString);

    /// <summary>The application's services, for other packages' extensions.</summary>
    public IServiceCollection Services { get; }

    /// <summary>Sets <see cref="TenancyOptions"/>.</summary>
    public TenancyBuilder Configure(Action<TenancyOptions> configure)
    {
        Services.Configure(configure);
        return this;
    }

    /// <summary>
    /// Adds a context whose tables every tenant has. Call it for each: the migrations of all are one set, and one
    /// history in the tenant's schema. Leave <c>AddDbContext</c> out for it.
    /// </summary>
    /// <param name="context">How it is made; null for the defaults.</param>
    /// <typeparam name="TContext">The context. It is leased from a pool, unless it has a state or services of its
    /// own: then it is made for each scope.</typeparam>
    /// <exception cref="InvalidOperationException">The application registers that context elsewhere.</exception>
    public TenancyBuilder AddContext<TContext>(Action<TenantContextBuilder<TContext>>? context = null)
        where TContext : DbContext
    {
        var builder = new TenantContextBuilder<TContext>();
        context?.Invoke(builder);
        TenancyRegistration.AddContext(Services, builder);
        _contexts.Add(typeof(TContext));
        return this;
    }

    /// <summary>
    /// The tenants are the rows of <c>tenancy.tenants</c>; the migration job, or
    /// <see cref="Tenants.MigrateAsync(CancellationToken)"/>, makes that table.
    /// </summary>
    /// <exception cref="InvalidOperationException">There is a registry already.</exception>
    public TenancyBuilder UseBuiltInRegistry()
    {
        // The application's own setting wins.
        Services.Configure<TenancyOptions>(options => options.DirectoryListenTime ??= TimeSpan.FromMinutes(5));
        return UseRegistry<BuiltInRegistry>();
    }

    /// <summary>
    /// Adds a database for tenants, besides the first one that has the registry. Its tenants' rows in the registry name
    /// it in the column <c>database</c>. The owner's connection string is that of the first database's name, <c>_</c>
    /// and this name: <c>ConnectionStrings:shop_two</c> for <c>AddTenancy("shop", ...)</c> and
    /// <c>AddDatabase("two")</c>.
    /// </summary>
    /// <param name="name">A letter, then up to 62 of <c>a-z</c>, <c>0-9</c> and <c>_</c>.</param>
    /// <param name="configure">Sets the rest; null for nothing. What it sets wins.</param>
    public TenancyBuilder AddDatabase(string name, Action<TenantDatabaseOptions>? configure = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var database = new TenantDatabaseOptions { ConnectionString = _connectionString($"_{name}") ?? "" };
        configure?.Invoke(database);
        return Configure(options => options.Databases[name] = database);
    }

    /// <summary>Takes the tenants from the application's own registry.</summary>
    /// <typeparam name="TRegistry">Registered as a scoped service.</typeparam>
    /// <exception cref="InvalidOperationException">There is a registry already.</exception>
    public TenancyBuilder UseRegistry<TRegistry>() where TRegistry : class, ITenantRegistry
    {
        if (_hasRegistry)
        {
            throw new InvalidOperationException(
                "There is a registry of tenants already: call either UseBuiltInRegistry or UseRegistry, and once.");
        }

        _hasRegistry = true;
        Services.AddScoped<ITenantRegistry, TRegistry>();
        Services.AddSingleton(new RegistryKind(typeof(TRegistry) == typeof(BuiltInRegistry)));
        Services.Configure<TenancyOptions>(options =>
        {
            options.FindTenant ??= RegistryLookup.FindAsync;
            options.FindSlugs ??= static (services, schemas, ct) =>
                services.GetRequiredService<ITenantRegistry>().FindSlugsAsync(schemas, ct);
        });
        return this;
    }

    /// <summary>
    /// Writes a new tenant's first rows, in the transaction that makes its schema: the tenant appears with them, or not
    /// at all. May be called for several contexts, and several times; they run in that order. For rows that every
    /// tenant has, <c>HasData</c> is simpler.
    /// </summary>
    /// <param name="seed">Gets a context that serves the new tenant. Its changes are saved afterwards.</param>
    /// <typeparam name="TContext">A context that was added.</typeparam>
    public TenancyBuilder SeedNew<TContext>(Func<TContext, CancellationToken, Task> seed) where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(seed);
        _seeded.Add(typeof(TContext));
        Services.AddSingleton(new TenantSeed(async (services, tenant, transaction, ct) =>
        {
            await using var context = services.GetRequiredService<TenantContextFactory<TContext>>()
                .CreateIn(transaction, tenant);
            await seed(context, ct);
            await context.SaveChangesAsync(ct);
        }));
        return this;
    }

    /// <summary>
    /// Declares shared tables that tenants join: see <see cref="TenancyOptions.ShareWithTenants"/>.
    /// </summary>
    /// <param name="tables">Each <c>schema.table</c>, e.g. <c>public.currencies</c>.</param>
    public TenancyBuilder ShareWithTenants(params string[] tables) =>
        Configure(options => options.ShareWithTenants(tables));

    /// <summary>Adds work that is done once for every tenant: see <see cref="TenantTask"/>.</summary>
    /// <typeparam name="TTask">The task; a singleton, made by the application's services.</typeparam>
    public TenancyBuilder AddTask<TTask>() where TTask : TenantTask
    {
        Services.AddTenantTask<TTask>();
        return this;
    }

    /// <summary>The same with a delegate.</summary>
    /// <param name="name">See <see cref="TenantTask.Name"/>.</param>
    /// <param name="work">See <see cref="TenantTask.RunAsync"/>.</param>
    /// <exception cref="FormatException">The name can't be a task's.</exception>
    public TenancyBuilder AddTask(string name, Func<TenantTaskContext, CancellationToken, Task> work)
    {
        Services.AddTenantTask(name, work);
        return this;
    }

    /// <summary>
    /// Keeps so many schemas ready for tenants to come: see <see cref="TenancyOptions.WarmPool"/>.
    /// </summary>
    /// <param name="spares">At most 1,000.</param>
    public TenancyBuilder WarmPool(int spares)
    {
        Services.AddWarmPool();
        return Configure(options => options.WarmPool = spares);
    }

    /// <exception cref="InvalidOperationException">Something is missing.</exception>
    internal void Finish()
    {
        ImmutableArray<string> missing =
        [
            .. Missing(_contexts.Count > 0, "no context: call AddContext<TContext>() for each whose tables every tenant has"),
            .. Missing(_hasRegistry,
                "no registry: call UseBuiltInRegistry(), or UseRegistry<T>() where the application has a table of tenants"),
            .. _seeded.Except(_contexts).Select(type => $"no context {type.Name}, which SeedNew names: add it"),
        ];
        if (!missing.IsEmpty)
        {
            throw new InvalidOperationException($"AddTenancy has {string.Join("; and ", missing)}.");
        }
    }

    private static string[] Missing(bool there, string words) => there ? [] : [words];
}

/// <summary>Writes first rows.</summary>
/// <param name="WriteAsync">By a context of the new tenant, in the transaction that makes it.</param>
internal sealed record TenantSeed(
    Func<IServiceProvider, Tenant, NpgsqlTransaction, CancellationToken, Task> WriteAsync);

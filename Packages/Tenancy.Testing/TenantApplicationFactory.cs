using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Tenancy.AspNetCore;

namespace Tenancy.Testing;

/// <summary>A tenant of one test's own.</summary>
/// <param name="Tenant">Who.</param>
/// <param name="Client">
/// Calls the application for this tenant, by the first header or host name that the application resolves tenants by.
/// </param>
public sealed record TestTenant(Tenant Tenant, HttpClient Client);

/// <summary>
/// Runs an application in the test's process over a database of its own, in which each test makes a tenant of its own:
/// <c>var acme = await application.NewTenantAsync();</c>. Schemas are made beforehand, so that takes milliseconds.
/// Share
/// it among the tests of an assembly; they may run in parallel.
/// </summary>
/// <typeparam name="TEntryPoint">A type of the application's assembly, e.g. its <c>Program</c>.</typeparam>
public class TenantApplicationFactory<TEntryPoint> : WebApplicationFactory<TEntryPoint> where TEntryPoint : class
{
    private readonly string _connectionName;
    private readonly int _warmPool;
    private TestDatabase? _database;

    /// <param name="connectionName">The application's: what it gives <c>AddTenancy</c>.</param>
    /// <param name="warmPool">How many schemas are kept ready. Default 8.</param>
    public TenantApplicationFactory(string connectionName, int warmPool = 8)
    {
        ArgumentException.ThrowIfNullOrEmpty(connectionName);
        (_connectionName, _warmPool) = (connectionName, warmPool);
    }

    /// <summary>Makes a tenant.</summary>
    /// <param name="slug">Its slug; a random one if null.</param>
    /// <param name="ct">Ends the work.</param>
    public async Task<TestTenant> NewTenantAsync(string? slug = null, CancellationToken ct = default)
    {
        slug ??= $"t{Guid.NewGuid():n}"[..20];
        var tenant = await Services.GetRequiredService<Tenants>().CreateAsync(slug, ct);
        return new(tenant, ClientOf(tenant));
    }

    /// <summary>Opens a scope that serves the tenant, to look at its rows.</summary>
    public Task<TenantScope> ServeAsync(TestTenant tenant, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(tenant);
        return Services.GetRequiredService<Tenants>().ServeAsync(tenant.Tenant.Slug, ct);
    }

    /// <summary>
    /// Runs before the first tenant is made and before the application starts: migrate here what the tenants share.
    /// </summary>
    /// <param name="services">The application's.</param>
    protected virtual Task PrepareAsync(IServiceProvider services) => Task.CompletedTask;

    /// <inheritdoc/>
    protected override IHost CreateHost(IHostBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var host = builder.Build();
        // Tables first: what runs in the background looks for them at once.
        Task.Run(async () =>
        {
            await PrepareAsync(host.Services);
            await host.Services.GetRequiredService<Tenants>().MigrateAsync();
        }).GetAwaiter().GetResult();
        host.Start();
        return host;
    }

    /// <inheritdoc/>
    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        _database ??= Task.Run(() => TestDatabase.CreateAsync()).GetAwaiter().GetResult();
        builder.UseSetting($"ConnectionStrings:{_connectionName}", _database.ConnectionString);
        builder.ConfigureTestServices(services =>
        {
            services.PostConfigure<TenancyOptions>(options => options.WarmPool = _warmPool);
            services.AddWarmPool();
        });
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (_database is { } database)
        {
            _database = null;
            await database.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    private HttpClient ClientOf(Tenant tenant)
    {
        var client = CreateClient();
        foreach (var source in Services.GetService<TenantResolution>()?.Sources ?? [])
        {
            if (source.Address(client, tenant.Slug))
            {
                break;
            }
        }

        return client;
    }
}

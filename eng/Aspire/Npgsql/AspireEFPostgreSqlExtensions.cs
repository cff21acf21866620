using Aspire.Npgsql.EntityFrameworkCore.PostgreSQL;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Microsoft.Extensions.Hosting;

/// <summary>Registers or completes a context on PostgreSQL: retry, command timeout, health check, tracing, metrics.</summary>
public static class AspireEFPostgreSqlExtensions
{
    private const string Section = "Aspire:Npgsql:EntityFrameworkCore:PostgreSQL";

    /// <summary>Registers a pooled context for the connection string <c>ConnectionStrings:NAME</c>.</summary>
    public static void AddNpgsqlDbContext<TContext>(
        this IHostApplicationBuilder builder,
        string connectionName,
        Action<NpgsqlEntityFrameworkCorePostgreSQLSettings>? configureSettings = null,
        Action<DbContextOptionsBuilder>? configureDbContextOptions = null) where TContext : DbContext
    {
        var settings = builder.Settings<TContext>(configureSettings, connectionName);
        if (string.IsNullOrEmpty(settings.ConnectionString))
        {
            throw new InvalidOperationException($"There is no connection string: configure 'ConnectionStrings:{connectionName}' or '{Section}:ConnectionString'.");
        }

        builder.Services.AddDbContextPool<TContext>(options =>
        {
            options.UseNpgsql(settings.ConnectionString);
            options.Complete(settings);
            configureDbContextOptions?.Invoke(options);
        });
        builder.Observe<TContext>(settings);
    }

    /// <summary>Completes a context that is registered already.</summary>
    /// <exception cref="InvalidOperationException">It is not registered.</exception>
    public static void EnrichNpgsqlDbContext<TContext>(
        this IHostApplicationBuilder builder, Action<NpgsqlEntityFrameworkCorePostgreSQLSettings>? configureSettings = null) where TContext : DbContext
    {
        if (!builder.Services.Any(s => s.ServiceType == typeof(TContext)))
        {
            throw new InvalidOperationException($"{typeof(TContext).Name} is not registered, so it can't be enriched: register it first.");
        }

        var settings = builder.Settings<TContext>(configureSettings, connectionName: null);
        builder.Services.ConfigureDbContext<TContext>(options => options.Complete(settings));
        builder.Observe<TContext>(settings);
    }

    private static NpgsqlEntityFrameworkCorePostgreSQLSettings Settings<TContext>(
        this IHostApplicationBuilder builder, Action<NpgsqlEntityFrameworkCorePostgreSQLSettings>? configure, string? connectionName)
    {
        var settings = new NpgsqlEntityFrameworkCorePostgreSQLSettings();
        builder.Configuration.GetSection(Section).Bind(settings);
        builder.Configuration.GetSection($"{Section}:{typeof(TContext).Name}").Bind(settings);
        settings.ConnectionString = (connectionName is null ? null : builder.Configuration.GetConnectionString(connectionName)) ?? settings.ConnectionString;
        configure?.Invoke(settings);
        return settings;
    }

    private static void Complete(this DbContextOptionsBuilder options, NpgsqlEntityFrameworkCorePostgreSQLSettings settings) => options.UseNpgsql(npgsql =>
    {
        var chosen = options.Options.Extensions.OfType<RelationalOptionsExtension>().Single();
        if (settings.CommandTimeout is { } seconds)
        {
            npgsql.CommandTimeout(seconds);
        }

        if (!settings.DisableRetry && chosen.ExecutionStrategyFactory is null)
        {
            npgsql.EnableRetryOnFailure();
        }
    });

    private static void Observe<TContext>(this IHostApplicationBuilder builder, NpgsqlEntityFrameworkCorePostgreSQLSettings settings) where TContext : DbContext
    {
        if (!settings.DisableHealthChecks)
        {
            builder.Services.AddHealthChecks().AddDbContextCheck<TContext>();
        }

        if (!settings.DisableTracing)
        {
            builder.Services.AddOpenTelemetry().WithTracing(tracing => tracing.AddNpgsql());
        }

        if (!settings.DisableMetrics)
        {
            builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics.AddNpgsqlInstrumentation());
        }
    }
}

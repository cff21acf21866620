using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Tenancy.Migrations;
using Tenancy.Sql;

namespace Tenancy;

/// <summary>Adds tasks to an application that doesn't register by <see cref="TenancyBuilder"/>.</summary>
public static class TenantTaskRegistration
{
    /// <inheritdoc cref="TenancyBuilder.AddTask{TTask}"/>
    /// <param name="services">The application's services.</param>
    public static IServiceCollection AddTenantTask<TTask>(this IServiceCollection services) where TTask : TenantTask =>
        services.AddSingleton<TenantTask, TTask>();

    /// <inheritdoc cref="TenancyBuilder.AddTask(string, Func{TenantTaskContext, CancellationToken, Task})"/>
    /// <param name="services">The application's services.</param>
    /// <param name="name">See <see cref="TenantTask.Name"/>.</param>
    /// <param name="work">See <see cref="TenantTask.RunAsync"/>.</param>
    public static IServiceCollection AddTenantTask(
        this IServiceCollection services, string name, Func<TenantTaskContext, CancellationToken, Task> work) =>
            services.AddSingleton(TenantTask.Create(name, work));

    internal static TenantTasks Create(IServiceProvider services) => new(
        services.GetServices<TenantTask>(),
        new(services.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.OwnerKey),
            services.GetRequiredService<SchemaVersions>(), services.GetRequiredService<TenancyOptions>(),
            services.GetRequiredService<IServiceScopeFactory>(), new(() => Shared(services)),
            services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILogger<TenantTasks>>()))
        {
            Others = TenancyRegistration.Others(services),
        };

    /// <summary>What the options and all tenant contexts' models share.</summary>
    private static AllowList Shared(IServiceProvider services)
    {
        var options = services.GetRequiredService<TenancyOptions>();
        var contexts = services.GetServices<TenantContext>().Select(context => context.Open()).ToList();
        try
        {
            return new SharedObjects(
                [.. options.SharedTables], [.. options.SharedSchemas], [.. options.SharedFunctions])
                .ForTasks(contexts.Select(context => context.Model));
        }
        finally
        {
            contexts.ForEach(context => context.Dispose());
        }
    }
}

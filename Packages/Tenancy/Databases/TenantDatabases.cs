using System.Runtime.ExceptionServices;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Tenancy.Databases;

/// <summary>The databases of tenants besides the first one, which has the registry.</summary>
internal sealed class TenantDatabases : IAsyncDisposable, IDisposable
{
    private readonly Dictionary<string, TenantDatabase> _others = new(StringComparer.Ordinal);

    /// <param name="application">The application's services.</param>
    /// <param name="registered">What is registered: see <see cref="PerDatabase"/>.</param>
    /// <param name="options">The first database's.</param>
    public TenantDatabases(IServiceProvider application, IServiceCollection registered, TenancyOptions options)
    {
        foreach (var name in options.Databases.Keys.Order(StringComparer.Ordinal))
        {
            _others.Add(name, new(options.Of(name), application, registered));
        }

        Others = [.. _others.Values];
    }

    /// <summary>In the order of their names.</summary>
    public IReadOnlyList<TenantDatabase> Others { get; }

    /// <summary>Null where nobody has configured one of that name.</summary>
    public TenantDatabase? Find(string name) => _others.GetValueOrDefault(name);

    /// <summary>The tenant's, which isn't the first.</summary>
    /// <exception cref="TenantUnavailableException">Nobody has configured it.</exception>
    public TenantDatabase Of(Tenant tenant) => Find(tenant.Database!)
        ?? throw new TenantUnavailableException(tenant.Slug, Availability.Unreachable);

    /// <summary>The one of that name, which isn't the first.</summary>
    /// <exception cref="ArgumentException">Nobody has configured it.</exception>
    public TenantDatabase Named(string name) => Find(name) ?? throw new ArgumentException(
        $"There is no database '{name}'. {(_others.Count == 0 ? "This application has one." : $"There are: {Names}.")}",
        nameof(name));

    /// <summary>All databases, or the one that is named.</summary>
    /// <param name="name">One of these, or <see cref="TenancyOptions.FirstDatabase"/>; null for all.</param>
    /// <returns>Whether the first one is among them, and those besides it.</returns>
    /// <exception cref="ArgumentException">Nobody has configured it.</exception>
    public (bool First, IReadOnlyList<TenantDatabase> Others) Chosen(string? name) => name switch
    {
        null => (true, Others),
        TenancyOptions.FirstDatabase => (true, []),
        _ => (false, [Named(name)]),
    };

    /// <summary>
    /// Does the work in the first database and then in each other. One that fails keeps no other from its turn: its
    /// exception is thrown at the end.
    /// </summary>
    /// <param name="first">In the first database.</param>
    /// <param name="other">In another one.</param>
    /// <param name="only">See <see cref="Chosen"/>.</param>
    public async Task<List<T>> EachAsync<T>(
        Func<Task<T>> first, Func<TenantDatabase, Task<T>> other, string? only = null)
    {
        var results = new List<T>();
        ExceptionDispatchInfo? failure = null;
        var (isFirst, others) = Chosen(only);
        var elsewhere = others.Select(database => (Func<Task<T>>)(() => other(database)));
        foreach (var work in isFirst ? elsewhere.Prepend(first) : elsewhere)
        {
            try
            {
                results.Add(await work());
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException)
            {
                failure ??= ExceptionDispatchInfo.Capture(e);
            }
        }

        failure?.Throw();
        return results;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var database in Others)
        {
            database.Dispose();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var database in Others)
        {
            await database.DisposeAsync();
        }
    }

    private string Names => string.Join(", ", Others.Select(database => $"'{database.Name}'"));
}

/// <summary>A registered service that each database of tenants has for itself.</summary>
/// <param name="Type">The service's type.</param>
internal sealed record PerDatabase(Type Type);

using Microsoft.Extensions.Caching.Hybrid;

namespace Tenancy;

/// <summary>
/// A cache whose entries belong to tenants: <see cref="HybridCache"/> with a <see cref="Tenant"/> in each call. A call
/// without one doesn't compile. Keys have the tenant's id, so a slug that another tenant gets never finds the first
/// one's entries.
/// </summary>
/// <param name="cache">The application's.</param>
public sealed class TenantCache(HybridCache cache)
{
    /// <summary>Gets an entry, or makes it: once for all who ask for it at the same time.</summary>
    /// <param name="tenant">Whose.</param>
    /// <param name="key">The entry's name among the tenant's.</param>
    /// <param name="make">Makes the value.</param>
    /// <param name="options">How long it is kept; null for the cache's default.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="ArgumentException">The tenant has no id, or the key is empty.</exception>
    public ValueTask<T> GetOrCreateAsync<T>(Tenant tenant, string key, Func<CancellationToken, ValueTask<T>> make,
        HybridCacheEntryOptions? options = null, CancellationToken ct = default) =>
            cache.GetOrCreateAsync(KeyOf(tenant, key), make, options, [TagOf(tenant)], ct);

    /// <summary>Sets an entry.</summary>
    /// <param name="tenant">Whose.</param>
    /// <param name="key">The entry's name among the tenant's.</param>
    /// <param name="value">The value.</param>
    /// <param name="options">How long it is kept; null for the cache's default.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="ArgumentException">The tenant has no id, or the key is empty.</exception>
    public ValueTask SetAsync<T>(Tenant tenant, string key, T value, HybridCacheEntryOptions? options = null,
        CancellationToken ct = default) =>
            cache.SetAsync(KeyOf(tenant, key), value, options, [TagOf(tenant)], ct);

    /// <summary>Removes an entry.</summary>
    /// <param name="tenant">Whose.</param>
    /// <param name="key">The entry's name among the tenant's.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="ArgumentException">The tenant has no id, or the key is empty.</exception>
    public ValueTask RemoveAsync(Tenant tenant, string key, CancellationToken ct = default) =>
        cache.RemoveAsync(KeyOf(tenant, key), ct);

    /// <summary>Removes all of a tenant's entries, e.g. after an import or before its end.</summary>
    /// <param name="tenant">Whose.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="ArgumentException">The tenant has no id.</exception>
    public ValueTask RemoveAllAsync(Tenant tenant, CancellationToken ct = default) =>
        cache.RemoveByTagAsync(TagOf(tenant), ct);

    private static string KeyOf(Tenant tenant, string key)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        // The id has a fixed length, so no key can reach into another tenant's.
        return $"{TagOf(tenant)}:{key}";
    }

    private static string TagOf(Tenant tenant) => $"tenant:{TenantBlobKey.IdOf(tenant):n}";
}

using System.Collections.Concurrent;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Data.Access;
using Microsoft.Extensions.Caching.Hybrid;

namespace Api.Access;

/// <summary>Finds out whose an API key is. A key that was found is remembered for five seconds.</summary>
/// <remarks>
/// A revoked key is refused by the process that revokes it at once, and by others after these five seconds. Unknown
/// keys aren't remembered: whoever guesses must not fill the memory.
/// </remarks>
internal sealed class KnownKeys(
    IConfiguration configuration, HybridCache cache, IServiceScopeFactory scopes, TimeProvider time)
{
    /// <summary>The setting with the first operator's key, which no table has.</summary>
    public const string OperatorSetting = "Authentication:OperatorKey";

    /// <summary>The shortest that it may be, characters.</summary>
    public const int ShortestOperatorKey = 32;

    private static readonly TimeSpan Remembered = TimeSpan.FromSeconds(5);

    private static readonly HybridCacheEntryOptions s_options = new()
    {
        Expiration = Remembered, LocalCacheExpiration = Remembered,
        Flags = HybridCacheEntryFlags.DisableDistributedCache,
    };

    private readonly byte[]? _operator = OperatorHash(configuration);
    private readonly ConcurrentDictionary<string, DateTimeOffset> _touched = new(StringComparer.Ordinal);

    /// <returns>The caller; null where the key is unknown or revoked.</returns>
    public async Task<ClaimsPrincipal?> FindAsync(string text, string scheme, CancellationToken ct)
    {
        if (_operator is not null && CryptographicOperations.FixedTimeEquals(Hash(text), _operator))
        {
            return Caller.Of(scheme, "first operator", slug: null, customer: null);
        }

        if (ApiKeyText.Parse(text) is not { } key)
        {
            return null;
        }

        var found = await FindAsync(key.Id, ct);
        // Compared with something where there is no such key, too: the time says nothing.
        if (!key.Has(found?.Hash ?? new byte[32]) || found is null || found.CustomerId is null != key.IsOperators)
        {
            return null;
        }

        await TouchAsync(found.Id, ct);
        return Caller.Of(scheme, $"{found.Name} ({found.Id})", found.Slug, found.CustomerId);
    }

    /// <summary>Forgets a key that was revoked here.</summary>
    public ValueTask ForgetAsync(string id, CancellationToken ct) => cache.RemoveAsync(CacheKey(id), ct);

    private async Task<FoundKey?> FindAsync(string id, CancellationToken ct)
    {
        // All requests of a key that nobody remembers wait for one question.
        var found = await cache.GetOrCreateAsync(CacheKey(id), (scopes, id), static async (asked, token) =>
        {
            await using var scope = asked.scopes.CreateAsyncScope();
            return await scope.ServiceProvider.GetRequiredService<ApiKeys>().FindAsync(asked.id, token);
        }, s_options, cancellationToken: ct);
        if (found is null)
        {
            await cache.RemoveAsync(CacheKey(id), ct);
        }

        return found;
    }

    /// <summary>At most once a minute for each key, so that a busy key writes nothing.</summary>
    private async Task TouchAsync(string id, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var last = _touched.GetValueOrDefault(id);
        if (now - last < TimeSpan.FromMinutes(1))
        {
            return;
        }

        _touched[id] = now;
        await using var scope = scopes.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<ApiKeys>().TouchAsync(id, ct);
    }

    private static string CacheKey(string id) => $"api-key:{id}";

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));

    private static byte[]? OperatorHash(IConfiguration configuration)
    {
        if (configuration[OperatorSetting] is not { Length: > 0 } key)
        {
            return null;
        }

        return key.Length >= ShortestOperatorKey
            ? Hash(key)
            : throw new InvalidOperationException(
                $"{OperatorSetting} has {key.Length} characters: use at least {ShortestOperatorKey} random ones.");
    }
}

using Data.Customers;
using Microsoft.EntityFrameworkCore;

namespace Data.Access;

/// <summary>A key with its customer's slug, as the API needs it for each request.</summary>
/// <param name="Id">The key's.</param>
/// <param name="Name">The key's.</param>
/// <param name="Hash">Of the secret.</param>
/// <param name="CustomerId">Whose; null for an operator's.</param>
/// <param name="Slug">Whose; null for an operator's.</param>
public sealed record FoundKey(string Id, string Name, byte[] Hash, Guid? CustomerId, string? Slug);

/// <summary>Makes API keys, finds them and revokes them.</summary>
public sealed class ApiKeys(CustomersContext db, TimeProvider time)
{
    /// <summary>Makes a key.</summary>
    /// <param name="slug">The customer's; null for an operator's key.</param>
    /// <param name="name">What it is for.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>Its text, which nobody can find again; null when there is no such customer.</returns>
    public async Task<(ApiKeyText Text, ApiKey Key)?> CreateAsync(string? slug, string name, CancellationToken ct)
    {
        Guid? customer = null;
        if (slug is not null)
        {
            customer = await db.Customers.Where(c => c.Slug == slug).Select(c => (Guid?)c.Id).SingleOrDefaultAsync(ct);
            if (customer is null)
            {
                return null;
            }
        }

        var text = ApiKeyText.New(isOperators: customer is null);
        var key = new ApiKey
        {
            Id = text.Id, CustomerId = customer, Name = name, Hash = ApiKeyText.HashOf(text.Secret),
            CreatedAt = time.GetUtcNow(),
        };
        db.ApiKeys.Add(key);
        await db.SaveChangesAsync(ct);
        return (text, key);
    }

    /// <summary>A key that isn't revoked; null when there is none.</summary>
    public Task<FoundKey?> FindAsync(string id, CancellationToken ct) => db.ApiKeys.AsNoTracking()
        .Where(k => k.Id == id && k.RevokedAt == null)
        .Select(k => new FoundKey(k.Id, k.Name, k.Hash, k.CustomerId, k.Customer == null ? null : k.Customer.Slug))
        .SingleOrDefaultAsync(ct);

    /// <summary>Writes down that a key was used, at most once a minute.</summary>
    public Task TouchAsync(string id, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var before = now - TimeSpan.FromMinutes(1);
        return db.ApiKeys.Where(k => k.Id == id && (k.LastUsedAt == null || k.LastUsedAt < before))
            .ExecuteUpdateAsync(set => set.SetProperty(k => k.LastUsedAt, now), ct);
    }

    /// <summary>Revokes a key. Other processes refuse it when they no longer remember it.</summary>
    /// <returns>False when there is none.</returns>
    public async Task<bool> RevokeAsync(string id, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await db.ApiKeys.Where(k => k.Id == id && k.RevokedAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(k => k.RevokedAt, now), ct);
        return await db.ApiKeys.AnyAsync(k => k.Id == id, ct);
    }
}

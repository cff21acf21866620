using Microsoft.Extensions.DependencyInjection;
using Tenancy;
using Xunit;

namespace Tests.Unit.Tenants;

/// <summary>Entries and files belong to tenants.</summary>
public sealed class TenantCacheTests
{
    private static readonly Tenant Acme = new(Guid.CreateVersion7(), "acme", SchemaName.Parse("tenant_acme"));
    private static readonly Tenant Globex = new(Guid.CreateVersion7(), "globex", SchemaName.Parse("tenant_globex"));

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Two_tenants_have_entries_of_their_own_under_one_key()
    {
        await using var services = Services();
        var cache = services.GetRequiredService<TenantCache>();
        await cache.SetAsync(Acme, "price", 1, ct: Ct);

        Assert.Equal(1, await ReadAsync(cache, Acme, "price"));
        Assert.Equal(-1, await ReadAsync(cache, Globex, "price"));
        // Another tenant that gets the slug is another tenant.
        Assert.Equal(-1, await ReadAsync(cache, Acme with { Id = Guid.CreateVersion7() }, "price"));
        Assert.Equal(1, await ReadAsync(cache, Acme with { Slug = "renamed" }, "price"));
    }

    [Fact]
    public async Task Entries_are_removed_one_by_one_and_all_at_once()
    {
        await using var services = Services();
        var cache = services.GetRequiredService<TenantCache>();
        foreach (var tenant in new[] { Acme, Globex })
        {
            await cache.SetAsync(tenant, "one", 1, ct: Ct);
            await cache.SetAsync(tenant, "two", 2, ct: Ct);
        }

        await cache.RemoveAsync(Acme, "one", Ct);
        Assert.Equal((-1, 2), (await ReadAsync(cache, Acme, "one"), await ReadAsync(cache, Acme, "two")));
        await cache.RemoveAllAsync(Acme, Ct);
        Assert.Equal(-1, await ReadAsync(cache, Acme, "two"));
        Assert.Equal((1, 2), (await ReadAsync(cache, Globex, "one"), await ReadAsync(cache, Globex, "two")));
    }

    [Fact]
    public async Task A_tenant_without_an_id_has_no_entries_and_no_files()
    {
        await using var services = Services();
        var nobody = Acme with { Id = Guid.Empty };
        await Assert.ThrowsAsync<ArgumentException>(
            async () => await services.GetRequiredService<TenantCache>().SetAsync(nobody, "price", 1, ct: Ct));
        Assert.Throws<ArgumentException>(() => TenantBlobKey.Of(nobody, "file"));
        Assert.Throws<InvalidOperationException>(() => default(TenantBlobKey).Value);
    }

    [Theory]
    [InlineData("7.pdf")]
    [InlineData("invoices/2026/7.pdf")]
    [InlineData("Zoë/株式会社.csv")]
    [InlineData("a..b/.hidden/...")]
    public void A_files_key_begins_with_its_tenant(string name) =>
        Assert.Equal($"tenants/{Acme.Id:n}/{name}", TenantBlobKey.Of(Acme, name).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("/7.pdf")]
    [InlineData("invoices//7.pdf")]
    [InlineData("invoices/")]
    [InlineData("..")]
    [InlineData("../globex/7.pdf")]
    [InlineData("invoices/../../globex/7.pdf")]
    [InlineData("./7.pdf")]
    [InlineData(@"invoices\7.pdf")]
    [InlineData("a\0b")]
    [InlineData("a\nb")]
    [InlineData("a\ud800b")]
    public void A_name_that_leads_elsewhere_is_refused(string name) =>
        Assert.ThrowsAny<ArgumentException>(() => TenantBlobKey.Of(Acme, name));

    [Fact]
    public void A_key_that_no_store_takes_is_refused()
    {
        var room = TenantBlobKey.Longest - TenantBlobKey.PrefixOf(Acme).Length;
        Assert.Equal(TenantBlobKey.Longest, TenantBlobKey.Of(Acme, new string('x', room)).Value.Length);
        Assert.Throws<ArgumentException>(() => TenantBlobKey.Of(Acme, new string('x', room + 1)));
        Assert.Throws<ArgumentException>(() => TenantBlobKey.Of(Acme, new string('é', room - 1)));
    }

    private static async Task<int> ReadAsync(TenantCache cache, Tenant tenant, string key) =>
        await cache.GetOrCreateAsync(tenant, key, _ => ValueTask.FromResult(-1), new()
        {
            // Looks and keeps nothing.
            Flags = Microsoft.Extensions.Caching.Hybrid.HybridCacheEntryFlags.DisableLocalCacheWrite,
        }, Ct);

    private static ServiceProvider Services()
    {
        var services = new ServiceCollection();
        services.AddHybridCache();
        return services.AddSingleton<TenantCache>().BuildServiceProvider();
    }
}

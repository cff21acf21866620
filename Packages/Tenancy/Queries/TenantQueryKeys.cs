using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Storage;

namespace Tenancy.Queries;

/// <summary>
/// The same key as the provider's for a query in EF's cache, with what the context's options say asked for once per
/// context instead of once per query: the provider sorts the options' extensions each time to find two settings that
/// never change. The provider's third, the order of nulls, is part of what tells EF's service providers apart, and each
/// of those has a cache of its own.
/// </summary>
internal sealed class TenantQueryKeys(CompiledQueryCacheKeyGeneratorDependencies dependencies,
    IDbContextOptions options) : CompiledQueryCacheKeyGenerator(dependencies)
{
    private readonly RelationalOptionsExtension _options = RelationalOptionsExtension.Extract(options);

    public override object GenerateCacheKey(Expression query, bool async) => new Key(
        GenerateCacheKeyCore(query, async), _options.UseRelationalNulls, _options.QuerySplittingBehavior,
        ExecutionStrategy.Current?.RetriesOnFailure ?? Dependencies.IsRetryingExecutionStrategy);

    private sealed record Key(
        CompiledQueryCacheKey Query, bool RelationalNulls, QuerySplittingBehavior? Splitting, bool Buffered);
}

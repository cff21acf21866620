using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata.Conventions.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Databases;
using Tenancy.Migrations;
using Tenancy.Roles;
using Tenancy.Sql;

namespace Tenancy.Leasing;

/// <summary>Puts what the library adds among a context's internal services.</summary>
/// <param name="shared">What the options declare.</param>
/// <param name="loadTypes">See <see cref="TenancyOptions.LoadTypes"/>.</param>
/// <param name="replaced">See <see cref="TenantContextBuilder{TContext}.ReplaceSchema"/>.</param>
/// <remarks>
/// Contexts of several hosts may share internal services. What may differ among them is a property here, and each
/// context's <see cref="TenantBinding"/> takes it from its own options.
/// </remarks>
internal sealed class TenancyExtension(
    SharedObjects shared, bool loadTypes, IReadOnlyCollection<string>? replaced = null) : IDbContextOptionsExtension
{
    private readonly SharedObjects _shared = shared;
    private readonly bool _loadTypes = loadTypes;
    private readonly string _replaced = string.Join('\n', (replaced ?? []).Order(StringComparer.Ordinal));

    public DbContextOptionsExtensionInfo Info => new ExtensionInfo(this);

    /// <summary>Which schemas of the model and its migrations are the tenant's.</summary>
    public ReplacedSchemas Moved { get; } = new([.. replaced ?? []]);

    /// <summary>The host's; null for a context made by hand.</summary>
    public TenancyMetrics? Metrics { get; init; }

    /// <summary>Which roles the context's commands switch to; null where they run as the login.</summary>
    public TenantRoleSql? Roles { get; init; }

    /// <summary>The databases besides the one that the options name; null for a context made by hand.</summary>
    public TenantDatabases? Databases { get; init; }

    /// <summary>See <see cref="TenancyOptions.Unguarded"/>.</summary>
    public bool Unguarded { get; init; }

    public void ApplyServices(IServiceCollection services)
    {
        services.AddScoped(provider =>
            new TenantBinding(provider.GetRequiredService<IDbContextOptions>().FindExtension<TenancyExtension>()));
        services.AddScoped<IResettableService>(provider => provider.GetRequiredService<TenantBinding>());
        // Contexts that share these services share the lists that it makes.
        services.AddSingleton(_shared.Copy());
        services.AddScoped<IConventionSetPlugin>(provider =>
            new TenantModelRules(
                provider.GetRequiredService<IRelationalTypeMappingSource>(), _loadTypes, Moved, _shared.Schemas));
    }

    public void Validate(IDbContextOptions options) => OptionRules.RefuseOthers(options);

    private sealed class ExtensionInfo(TenancyExtension extension) : DbContextOptionsExtensionInfo(extension)
    {
        public override bool IsDatabaseProvider => false;

        public override string LogFragment => "tenancy ";

        private TenancyExtension Tenancy => (TenancyExtension)Extension;

        public override int GetServiceProviderHashCode() =>
            HashCode.Combine(Tenancy._shared.Hash, Tenancy._loadTypes, Tenancy._replaced);

        public override bool ShouldUseSameServiceProvider(DbContextOptionsExtensionInfo other) =>
            other is ExtensionInfo info
                && Tenancy._shared.IsLike(info.Tenancy._shared)
                && Tenancy._loadTypes == info.Tenancy._loadTypes
                && Tenancy._replaced == info.Tenancy._replaced;

        public override void PopulateDebugInfo(IDictionary<string, string> debugInfo) => debugInfo["Tenancy"] = "1";
    }
}

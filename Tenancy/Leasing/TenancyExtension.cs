using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata.Conventions.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Stamping;

namespace Tenancy.Leasing;

/// <summary>Puts what the library adds among a context's internal services.</summary>
/// <param name="tables">See <see cref="TenancyOptions.SharedTables"/>.</param>
/// <param name="schemas">See <see cref="TenancyOptions.SharedSchemas"/>.</param>
/// <param name="functions">See <see cref="TenancyOptions.SharedFunctions"/>.</param>
/// <param name="loadTypes">See <see cref="TenancyOptions.LoadTypes"/>.</param>
/// <param name="metrics">The host's. Contexts of several hosts may share internal services, so those that count take it
/// from their own options.</param>
internal sealed class TenancyExtension(IReadOnlyList<string> tables, IReadOnlyList<string> schemas,
    IReadOnlyList<string> functions, bool loadTypes, TenancyMetrics? metrics = null) : IDbContextOptionsExtension
{
    private readonly IReadOnlyList<string> _tables = tables;
    private readonly IReadOnlyList<string> _schemas = schemas;
    private readonly IReadOnlyList<string> _functions = functions;
    private readonly bool _loadTypes = loadTypes;

    public DbContextOptionsExtensionInfo Info => new ExtensionInfo(this);

    public TenancyMetrics? Metrics => metrics;

    public void ApplyServices(IServiceCollection services)
    {
        services.AddScoped(provider =>
            new TenantBinding(
                provider.GetRequiredService<IDbContextOptions>().FindExtension<TenancyExtension>()?.Metrics));
        services.AddScoped<IResettableService>(provider => provider.GetRequiredService<TenantBinding>());
        services.AddSingleton(new SharedObjects(_tables, _schemas, _functions));
        services.AddScoped<IConventionSetPlugin>(provider =>
            new TenantModelRules(provider.GetRequiredService<IRelationalTypeMappingSource>(), _loadTypes));
    }

    public void Validate(IDbContextOptions options) => OptionRules.RefuseOthers(options);

    private sealed class ExtensionInfo(TenancyExtension extension) : DbContextOptionsExtensionInfo(extension)
    {
        public override bool IsDatabaseProvider => false;

        public override string LogFragment => "tenancy ";

        private TenancyExtension Tenancy => (TenancyExtension)Extension;

        public override int GetServiceProviderHashCode() =>
            HashCode.Combine(
                Tenancy._tables.Count, Tenancy._schemas.Count, Tenancy._functions.Count, Tenancy._loadTypes);

        public override bool ShouldUseSameServiceProvider(DbContextOptionsExtensionInfo other) =>
            other is ExtensionInfo info
                && Tenancy._tables.SequenceEqual(info.Tenancy._tables)
                && Tenancy._schemas.SequenceEqual(info.Tenancy._schemas)
                && Tenancy._functions.SequenceEqual(info.Tenancy._functions)
                && Tenancy._loadTypes == info.Tenancy._loadTypes;

        public override void PopulateDebugInfo(IDictionary<string, string> debugInfo) => debugInfo["Tenancy"] = "1";
    }
}

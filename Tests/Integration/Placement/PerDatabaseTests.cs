using System.Reflection;
using Data;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Tenancy.Databases;
using Xunit;

namespace Tests.Integration.Placement;

/// <summary>Which of the library's services each database has for itself.</summary>
public sealed class PerDatabaseTests
{
    /// <summary>These find a tenant's database by themselves, or move within the first one's cluster.</summary>
    private static readonly string[] OfAll = ["OperationKind", "TenantSearch"];

    [Fact]
    public async Task What_keeps_a_pool_works_on_the_pool_of_its_own_database()
    {
        var services = new ServiceCollection().AddLogging().AddData(new ConfigurationBuilder().AddInMemoryCollection(
        [
            new("ConnectionStrings:tenants", "Host=first"), new("ConnectionStrings:tenants_two", "Host=second"),
            new(DataRegistration.DatabasesSetting, "two"),
        ]).Build());
        await using var first = services.BuildServiceProvider();
        var second = Assert.Single(first.GetRequiredService<TenantDatabases>().Others);

        var shared = services
            .Where(one => one is { IsKeyedService: false, Lifetime: ServiceLifetime.Singleton }
                && one.ServiceType.Assembly == typeof(Tenants).Assembly)
            .Select(one => one.ServiceType).Distinct()
            .Where(type => first.GetRequiredService(type) is var one && KeepsPool(one)
                && ReferenceEquals(one, second.GetService(type)))
            .Select(type => type.Name).Order(StringComparer.Ordinal);

        Assert.Equal(string.Join(", ", OfAll), string.Join(", ", shared));
    }

    /// <summary>Whatever an instance keeps is in a field.</summary>
    private static bool KeepsPool(object service) =>
        service.GetType().GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public).Any(field =>
            typeof(NpgsqlDataSource).IsAssignableFrom(field.FieldType) || field.FieldType == typeof(GuardedDataSource)
                || field.FieldType == typeof(TenancyPools));
}

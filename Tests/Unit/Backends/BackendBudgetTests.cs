using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Tenancy;
using Tenancy.Backends;
using Xunit;

namespace Tests.Unit.Backends;

public sealed class BackendBudgetTests
{
    /// <summary>What is read of Npgsql is internal there: an update that changes it has to be noticed.</summary>
    [Fact]
    public void The_physical_connection_can_be_told_from_Npgsqls() => Assert.True(NpgsqlConnectors.AreKnown);

    [Theory]
    [InlineData(1)]
    [InlineData((64L << 20) - 1)]
    [InlineData(-1)]
    public void A_budget_that_no_connection_could_live_in_is_refused(long bytes)
    {
        using var services = Services(options => options.BackendMemory = bytes);

        var refused = Assert.Throws<OptionsValidationException>(() => services.GetRequiredService<TenancyOptions>());

        Assert.Contains("BackendMemory has to be at least 64 MB", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_footprint_of_a_schema_grows_with_the_tables_indexes_and_foreign_keys_of_the_model()
    {
        using var services = Services(_ => { });
        using var scope = services.CreateScope();
        using var context = services.GetRequiredService<IDbContextFactory<InvoicingContext>>().CreateDbContext();

        var footprint = SchemaFootprint.Of(context.Model);

        // Measured with all of the sample's tables read and written: docs/memory.md.
        Assert.InRange(footprint.Bytes, 100_000, 400_000);
        Assert.Same(footprint, SchemaFootprint.Of(context.Model));
        Assert.True(footprint.Bytes > new SchemaFootprint(relations: 4).Bytes);
    }

    [Fact]
    public async Task Open_connections_share_the_memory_and_each_has_a_least()
    {
        await using var services = Services(options => options.BackendMemory = 1L << 30);
        _ = services.GetRequiredService<Npgsql.NpgsqlDataSource>();
        var options = services.GetRequiredService<TenancyOptions>();

        Assert.Equal(1L << 30, options.Backends.Share);
        options.BackendMemory = 64L << 20;
        options.LeastBackendShare = 128L << 20;
        Assert.Equal(128L << 20, options.Backends.Share);
    }

    private static ServiceProvider Services(Action<TenancyOptions> configure) => new ServiceCollection().AddLogging()
        .AddTenancy<InvoicingContext>(options =>
        {
            options.ConnectionString = "Host=127.0.0.1";
            configure(options);
        }).BuildServiceProvider();
}

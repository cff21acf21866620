using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;

namespace Benchmarks.Requests;

/// <summary>
/// Unqualified SQL, and an interceptor that says <c>SET search_path</c> whenever a connection is opened. It keeps its
/// tenant in the session, so it needs the reset that the library's settings leave out: it runs with Npgsql's own.
/// </summary>
internal sealed class SearchPath : EfVariant
{
    private readonly ServiceProvider _services;

    public SearchPath(string name, string database, IReadOnlyList<Tenant> tenants) : base(name, tenants)
    {
        Database = NpgsqlDataSource.Create(ConnectionString(database, name));
        _services = new ServiceCollection()
            .AddDbContextPool<SearchPathContext>(options =>
                options.UseNpgsql(Database).AddInterceptors(new SetSearchPath()))
            .BuildServiceProvider();
    }

    public override NpgsqlDataSource Database { get; }

    protected override IServiceScopeFactory Scopes => _services.GetRequiredService<IServiceScopeFactory>();

    protected override ContactsContext Context(IServiceProvider request, Tenant tenant)
    {
        var context = request.GetRequiredService<SearchPathContext>();
        context.Schema = tenant.Schema;
        return context;
    }

    public override async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await Database.DisposeAsync();
    }

    private sealed class SearchPathContext(DbContextOptions<SearchPathContext> options) : ContactsContext(options)
    {
        public SchemaName Schema { get; set; }

        protected override void OnModelCreating(ModelBuilder modelBuilder) => Map(modelBuilder, schema: null);
    }

    private sealed class SetSearchPath : DbConnectionInterceptor
    {
        public override async Task ConnectionOpenedAsync(
            DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
        {
            await using var command = connection.CreateCommand();
            command.CommandText = $"SET search_path TO {((SearchPathContext)eventData.Context!).Schema.Quoted}";
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }
}

// The provider's connection is public by need and internal by name. What is used of it: its constructor, and that it
// can be derived from.
#pragma warning disable EF1001

using System.Transactions;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql.EntityFrameworkCore.PostgreSQL.Storage.Internal;
using Tenancy.Stamping;

namespace Tenancy.Leasing;

/// <summary>
/// The connection of one tenant context. It knows whom the context serves, and doesn't open for nobody: so a context
/// without a tenant is refused before anything reaches the server, whatever it was asked for (a connection interceptor
/// could do it, at a cost per open).
/// </summary>
internal sealed class TenantConnection(
    RelationalConnectionDependencies dependencies, NpgsqlDataSourceManager dataSources, IDbContextOptions options,
    TenantBinding binding, SharedObjects shared)
    : NpgsqlRelationalConnection(dependencies, dataSources, options)
{
    private AllowList? _shared;

    public TenantBinding Binding { get; } = binding;

    /// <summary>What the context's commands may name besides the tenant's own schema.</summary>
    public AllowList Shared => _shared ??= shared.Of(Context.Model);

    /// <summary>
    /// The provider searches the connection string for "Enlist=false" at every open, to save this look; the search
    /// costs more.
    /// </summary>
    public override Transaction? CurrentAmbientTransaction => Transaction.Current;

    public override bool Open(bool errorsExpected = false)
    {
        Binding.RefuseNobody();
        return base.Open(errorsExpected);
    }

    public override Task<bool> OpenAsync(CancellationToken cancellationToken, bool errorsExpected = false)
    {
        Binding.RefuseNobody();
        return base.OpenAsync(cancellationToken, errorsExpected);
    }

    /// <summary>For EnsureCreated and EnsureDeleted, which would make or drop the database of all tenants.</summary>
    public override INpgsqlRelationalConnection CreateAdminConnection() => throw new InvalidOperationException(
        "A tenant's context doesn't create or delete the database, which all tenants share. A tenant is made by " +
        "SchemaProvisioner; the database by a context of the shared schema.");
}

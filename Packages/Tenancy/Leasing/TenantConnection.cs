// The provider's connection is public by need and internal by name. What is used of it: its constructor, and that it
// can be derived from.
#pragma warning disable EF1001

using System.Transactions;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Storage.Internal;
using Tenancy.Backends;
using Tenancy.Sql;

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
    private AllowList? _sharedAsOwner;
    private System.Data.Common.DbDataSource? _source;
    private bool _made;
    private bool _replaced;
    private bool _replacing;
    private TenantCommand? _returned;
    private string? _database;
    private SchemaFootprint? _footprint;

    // Whose schemas the open connection meets. The binding may have forgotten them when it is closed.
    private Tenant? _tenant;
    private TenantChunk? _chunk;

    /// <summary>Counts how often the context went back to the pool.</summary>
    public int Lease { get; private set; }

    public TenantBinding Binding { get; } = binding;

    /// <summary>The names that the context's commands may use besides the tenant's own schema.</summary>
    public AllowList Shared => Binding.RunsAsOwner
        ? _sharedAsOwner ??= shared.Of(Context.Model, asOwner: true)
        : _shared ??= shared.Of(Context.Model);

    /// <summary>
    /// The provider searches the connection string for "Enlist=false" at every open, to save this look; the search
    /// costs more.
    /// </summary>
    public override Transaction? CurrentAmbientTransaction => Transaction.Current;

    public override bool Open(bool errorsExpected = false)
    {
        RefuseNobodysWork(errorsExpected);
        return base.Open(errorsExpected);
    }

    public override Task<bool> OpenAsync(CancellationToken cancellationToken, bool errorsExpected = false)
    {
        RefuseNobodysWork(errorsExpected);
        return base.OpenAsync(cancellationToken, errorsExpected);
    }

    /// <summary>
    /// Errors are expected by who only asks whether the server answers (CanConnect, a health check), and closes again.
    /// </summary>
    private void RefuseNobodysWork(bool errorsExpected)
    {
        if (!errorsExpected)
        {
            Binding.RefuseNobody();
            // Now, because the context may be gone when the connection is closed.
            _footprint ??= SchemaFootprint.Of(Context.Model);
            _chunk = Binding.Chunk;
            _tenant = _chunk is null ? Binding.Value : null;
            if (!_replaced && _made && Binding.Database != _database)
            {
                throw new InvalidOperationException(
                    "This context's connection was asked for before its tenant was chosen, and the tenant is in the " +
                    $"database '{Binding.Database}': choose the tenant first.");
            }
        }
    }

    /// <summary>
    /// Of the tenant's database. EF makes one in each lease, when it is first needed, so that this is the only place.
    /// </summary>
    protected override System.Data.Common.DbConnection CreateDbConnection()
    {
        (_made, _database) = (true, Binding.Database);
        return _database is null ? base.CreateDbConnection() : Binding.Source!.CreateConnection();
    }

    /// <exception cref="ObjectDisposedException">The context has gone back to the pool since.</exception>
    public void RefuseUnless(int lease)
    {
        if (lease != Lease)
        {
            throw new ObjectDisposedException(
                Context.GetType().Name,
                "This query or stream was begun in a scope that has ended, and its context may serve another tenant " +
                "by now. Read it to its end in its scope, or take a context from TenantContextFactory.");
        }
    }

    protected override void CloseDbConnection()
    {
        Meet();
        base.CloseDbConnection();
    }

    protected override Task CloseDbConnectionAsync()
    {
        Meet();
        return base.CloseDbConnectionAsync();
    }

    protected override void DisposeDbConnection()
    {
        Meet();
        base.DisposeDbConnection();
    }

    protected override ValueTask DisposeDbConnectionAsync()
    {
        Meet();
        return base.DisposeDbConnectionAsync();
    }

    /// <summary>Before the connection goes back: afterwards it is somebody else's.</summary>
    private void Meet()
    {
        if (_tenant is null && _chunk is null || DbConnection is not NpgsqlConnection connection)
        {
            return;
        }

        if (_tenant is not null)
        {
            Backend.Meet(connection, _tenant.Schema, _footprint!);
            return;
        }

        foreach (var tenant in _chunk!.Tenants)
        {
            Backend.Meet(connection, tenant.Schema, _footprint!);
        }
    }

    public override string? ConnectionString
    {
        get => base.ConnectionString;
        set => Replace(() => base.ConnectionString = value);
    }

    public override void SetDbConnection(System.Data.Common.DbConnection? value, bool contextOwnsConnection) =>
        Replace(() => base.SetDbConnection(value, contextOwnsConnection));

    /// <summary>One that was rented in another lease isn't kept: a stream may still have its reader.</summary>
    public override void ReturnCommand(IRelationalCommand command) =>
        _returned = command is TenantCommand { Lease: var lease } ours && lease == Lease ? ours : _returned;

    /// <summary>EF's base keeps one command, too, across leases: here it is asked for new ones alone.</summary>
    public override IRelationalCommand RentCommand()
    {
        var command = Interlocked.Exchange(ref _returned, null) ?? (TenantCommand)base.RentCommand();
        command.Lease = Lease;
        return command;
    }

    /// <summary>
    /// EF keeps the connection's object for the next lease, with handlers that were added to it, the database that it
    /// was changed to and the connection string that was set. So the next one gets another object, of the data source
    /// that the context was registered with.
    /// </summary>
    protected override void ResetState(bool disposeDbConnection)
    {
        base.ResetState(disposeDbConnection: true);
        Renew();
    }

    protected override async ValueTask ResetStateAsync(bool disposeDbConnection)
    {
        await base.ResetStateAsync(disposeDbConnection: true);
        Renew();
    }

    private void Replace(Action replace)
    {
        _source ??= DataSource;
        // EF resets itself meanwhile, and that is no lease's end.
        _replacing = true;
        try
        {
            replace();
            _replaced = true;
        }
        finally
        {
            _replacing = false;
        }
    }

    private void Renew()
    {
        if (_replacing)
        {
            return;
        }

        Lease++;
        _returned = null;
        (_tenant, _chunk) = (null, null);
        _made = false;
        if (_replaced)
        {
            Replace(() =>
            {
                base.SetDbConnection(null, contextOwnsConnection: true);
                DbDataSource = _source;
            });
            _replaced = false;
        }
    }

    /// <summary>For EnsureCreated and EnsureDeleted, which would make or drop the database of all tenants.</summary>
    public override INpgsqlRelationalConnection CreateAdminConnection() => throw new InvalidOperationException(
        "A tenant's context doesn't create or delete the database, which all tenants share. A tenant is made by " +
        "SchemaProvisioner; the database by a context of the shared schema.");
}

using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Storage;

namespace Tenancy.Leasing;

/// <summary>
/// A command's rows, for the lease that asked for them. Npgsql uses its readers again, so whoever reads on after the
/// lease could be given another tenant's rows.
/// </summary>
internal sealed class LeasedReader : RelationalDataReader
{
    private TenantConnection? _connection;
    private int _lease;

    public override void Initialize(
        IRelationalConnection relationalConnection, DbCommand command, DbDataReader reader, Guid commandId,
        IRelationalCommandDiagnosticsLogger? logger)
    {
        _connection = relationalConnection as TenantConnection;
        _lease = _connection?.Lease ?? 0;
        base.Initialize(relationalConnection, command, reader, commandId, logger);
    }

    public override bool Read()
    {
        _connection?.RefuseUnless(_lease);
        return base.Read();
    }

    public override Task<bool> ReadAsync(CancellationToken cancellationToken = default)
    {
        _connection?.RefuseUnless(_lease);
        return base.ReadAsync(cancellationToken);
    }
}

/// <summary>Queries that belong to the lease in which they were begun.</summary>
internal sealed class LeasedQueries(
    QueryContextDependencies dependencies, RelationalQueryContextDependencies relational) : IQueryContextFactory
{
    public QueryContext Create() => new Leased(dependencies, relational);

    private sealed class Leased(QueryContextDependencies dependencies, RelationalQueryContextDependencies relational)
        : RelationalQueryContext(dependencies, relational)
    {
        private readonly int _lease = (relational.RelationalConnection as TenantConnection)?.Lease ?? 0;

        /// <summary>Asked for when an enumerator sends the query, however long after it was made.</summary>
        public override IRelationalConnection Connection
        {
            get
            {
                var connection = base.Connection;
                (connection as TenantConnection)?.RefuseUnless(_lease);
                return connection;
            }
        }
    }
}

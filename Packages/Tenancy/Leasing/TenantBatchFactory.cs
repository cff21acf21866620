// The provider's batch is public by need and internal by name. What is used of it: its factory's constructor, and how
// it reports rows that weren't there.
#pragma warning disable EF1001

using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.EntityFrameworkCore.Update;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure.Internal;
using Npgsql.EntityFrameworkCore.PostgreSQL.Update.Internal;

namespace Tenancy.Leasing;

/// <summary>
/// The provider's batches of SaveChanges, except where a tenant's role is switched to: that is a statement before them,
/// and the provider counts statements to know whose rows were changed.
/// </summary>
internal sealed class TenantBatchFactory(
    ModificationCommandBatchFactoryDependencies dependencies, IDbContextOptions options, TenantBinding binding)
    : NpgsqlModificationCommandBatchFactory(dependencies, options)
{
    private const int ProvidersBatchSize = 1000;

    private readonly int _largest =
        options.FindExtension<NpgsqlOptionsExtension>()?.MaxBatchSize ?? ProvidersBatchSize;

    private readonly ModificationCommandBatchFactoryDependencies _dependencies = dependencies;

    /// <summary>
    /// The binding decides: a context in somebody's transaction runs as its login, also where there are roles.
    /// </summary>
    public override ModificationCommandBatch Create() =>
        binding.Switch.Length == 0 ? base.Create() : new AfterSwitch(_dependencies, _largest);

    private sealed class AfterSwitch(ModificationCommandBatchFactoryDependencies dependencies, int largest)
        : NpgsqlModificationCommandBatch(dependencies, largest)
    {
        /// <summary>The statement that switches.</summary>
        private const int Before = 1;

        protected override void Consume(RelationalDataReader reader)
        {
            for (var at = 0; at < ModificationCommands.Count; at++)
            {
                try
                {
                    if (HasRow(at) ? !reader.Read() : Changed(reader, at) != 1)
                    {
                        ThrowAggregateUpdateConcurrencyException(reader, at, 1, 0);
                    }

                    if (HasRow(at))
                    {
                        ModificationCommands[at].PropagateResults(reader);
                        reader.DbDataReader.NextResult();
                    }
                }
                catch (Exception e) when (e is not (DbUpdateException or OperationCanceledException))
                {
                    throw Failed(at, e);
                }
            }
        }

        protected override async Task ConsumeAsync(RelationalDataReader reader, CancellationToken cancellationToken)
        {
            for (var at = 0; at < ModificationCommands.Count; at++)
            {
                try
                {
                    if (HasRow(at) ? !await reader.ReadAsync(cancellationToken) : Changed(reader, at) != 1)
                    {
                        await ThrowAggregateUpdateConcurrencyExceptionAsync(reader, at, 1, 0, cancellationToken);
                    }

                    if (HasRow(at))
                    {
                        ModificationCommands[at].PropagateResults(reader);
                        await reader.DbDataReader.NextResultAsync(cancellationToken);
                    }
                }
                catch (Exception e) when (e is not (DbUpdateException or OperationCanceledException))
                {
                    throw Failed(at, e);
                }
            }
        }

        private bool HasRow(int at) => ModificationCommands[at].StoreStoredProcedure is null
            ? ResultSetMappings[at].HasFlag(ResultSetMapping.HasResultRow)
            : throw new NotSupportedException(
                "Entities that are saved by stored procedures can't be used with TenancyOptions.TenantRoles.");

        private static ulong Changed(RelationalDataReader reader, int at)
        {
#pragma warning disable CS0618 // The only place where Npgsql says it of each statement.
            return ((NpgsqlDataReader)reader.DbDataReader).Statements[at + Before].Rows;
#pragma warning restore CS0618
        }

        private DbUpdateException Failed(int at, Exception cause) => new(
            "An error occurred while saving the entity changes. See the inner exception for details.", cause,
            ModificationCommands[at].Entries);
    }
}

// The provider's cache is public by need and internal by name.
#pragma warning disable EF1001

using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.EntityFrameworkCore.ValueGeneration;
using Npgsql.EntityFrameworkCore.PostgreSQL.ValueGeneration.Internal;

namespace Tenancy.Leasing;

/// <summary>
/// HiLo keys: the provider keeps a block of numbers for each sequence of the model, and one model serves all tenants.
/// Here each tenant's sequence has a block of its own; with a common one, a tenant would get numbers out of another's
/// sequence, and again later out of its own.
/// </summary>
internal sealed class TenantSequenceStates(ValueGeneratorCacheDependencies dependencies)
    : NpgsqlValueGeneratorCache(dependencies)
{
    private readonly ConcurrentDictionary<Key, NpgsqlSequenceValueGeneratorState> _states = new();

    /// <exception cref="NoTenantException">The context serves nobody.</exception>
    public override NpgsqlSequenceValueGeneratorState GetOrAddSequenceState(
        IProperty property, IRelationalConnection connection)
    {
        var sequence = property.FindHiLoSequence()!;
        return connection is TenantConnection tenant && sequence.Schema == TenantPlaceholder.Schema
            ? _states.GetOrAdd(
                new(connection.DbConnection.DataSource, connection.DbConnection.Database, tenant.Binding.Value.Schema,
                    sequence),
                static key => new(key.Sequence))
            : base.GetOrAddSequenceState(property, connection);
    }

    private readonly record struct Key(string Server, string Database, SchemaName Schema, ISequence Sequence);
}

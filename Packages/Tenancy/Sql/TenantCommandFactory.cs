using Microsoft.EntityFrameworkCore.Storage;

namespace Tenancy.Sql;

/// <summary>
/// Where every command of a tenant context is made: LINQ, SaveChanges, raw SQL and migrations all build theirs here. An
/// interceptor would see them too, but costs some 6 % of a request even when it does nothing, and isn't asked for
/// ToQueryString and CreateDbCommand.
/// </summary>
internal sealed class TenantCommandFactory(
    RelationalCommandBuilderDependencies dependencies) : IRelationalCommandBuilderFactory
{
    public IRelationalCommandBuilder Create() => new Builder(dependencies);

    private sealed class Builder(
        RelationalCommandBuilderDependencies dependencies) : RelationalCommandBuilder(dependencies)
    {
        public override IRelationalCommand Build()
        {
            var plain = base.Build();
            return new TenantCommand(Dependencies, plain.CommandText, plain.LogCommandText, plain.Parameters);
        }
    }
}

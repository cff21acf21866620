using Tenancy.Sql;

namespace Tenancy.Tasks;

/// <summary>A task that is SQL with the placeholder.</summary>
internal sealed class SqlTask(string name, string sql) : TenantTask
{
    public override string Name => name;

    public override async Task RunAsync(TenantTaskContext context, CancellationToken ct)
    {
        await using var command = context.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(ct);
    }

    internal override void Check(AllowList shared) => SqlTemplateCache.Shared.Of(sql).Guard(shared);
}

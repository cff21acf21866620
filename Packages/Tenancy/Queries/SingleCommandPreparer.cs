// The preparer is public by need and internal by name. What is used of it: its constructor, and that it can be derived
// from.
#pragma warning disable EF1001

using Microsoft.EntityFrameworkCore.Update;
using Microsoft.EntityFrameworkCore.Update.Internal;

namespace Tenancy.Queries;

/// <summary>
/// Before EF saves, it sorts the commands by the keys that tie them together. It does so for a single command, too,
/// which is what most requests save, and that takes half as long as to make its SQL.
/// </summary>
internal sealed class SingleCommandPreparer(CommandBatchPreparerDependencies dependencies) : CommandBatchPreparer(dependencies)
{
    public override IReadOnlyList<List<IReadOnlyModificationCommand>> TopologicalSort(
        IEnumerable<IReadOnlyModificationCommand> commands)
    {
        List<IReadOnlyModificationCommand> all = [.. commands];
        return all.Count == 1 ? [all] : base.TopologicalSort(all);
    }
}

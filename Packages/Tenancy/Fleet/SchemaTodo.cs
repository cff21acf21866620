namespace Tenancy.Fleet;

/// <summary>One schema's migrations.</summary>
/// <param name="Schema">Which.</param>
/// <param name="Steps">Those of all schemas of a group that have the same history.</param>
internal sealed record SchemaTodo(SchemaName Schema, HistorySteps Steps)
{
    /// <param name="schemas">A group's.</param>
    /// <param name="histories">What each has.</param>
    /// <param name="work">The run's.</param>
    /// <exception cref="NotSupportedException">One of them can't be brought where the run brings them.</exception>
    public static List<SchemaTodo> Of(
        IReadOnlyList<SchemaName> schemas, IReadOnlyList<HashSet<string>> histories, FleetWork work)
    {
        var steps = new Dictionary<HashSet<string>, HistorySteps>(HashSet<string>.CreateSetComparer());
        return [.. schemas.Zip(histories, (schema, applied) =>
        {
            if (!steps.TryGetValue(applied, out var known))
            {
                steps.Add(applied, known = new(applied, work.StepsFor(applied)));
            }

            return new SchemaTodo(schema, known);
        })];
    }
}

/// <summary>The remaining steps for schemas that share a migration history.</summary>
/// <param name="applied">The history.</param>
/// <param name="all">The steps, in order.</param>
internal sealed class HistorySteps(HashSet<string> applied, IReadOnlyList<MigrationStep> all)
{
    public IReadOnlyList<MigrationStep> All => all;

    /// <summary>Those that share a transaction with others; what follows them waits for another.</summary>
    public IReadOnlyList<MigrationStep> Inside { get; } = [.. all.TakeWhile(step => !step.Sql.OutsideTransaction)];

    public bool BeginsOutside => all is [{ Sql.OutsideTransaction: true }, ..];

    public int Left => all.Count - Inside.Count;

    public HashSet<string> After => applied.After(Inside);

    public HashSet<string> AfterFirst => applied.After(all.Take(1));
}

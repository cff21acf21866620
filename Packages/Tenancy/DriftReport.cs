namespace Tenancy;

/// <summary>The scope of a verification.</summary>
public sealed record VerifyPlan
{
    /// <summary>Only these schemas; default all.</summary>
    public IReadOnlyCollection<SchemaName>? Only { get; init; }

    /// <summary>
    /// Asks the application's registry for the names of its tenants' schemas, those of tenants that aren't served
    /// included. It is called once, after the ledger was read: who is created or dropped meanwhile is not taken for a
    /// fault. Default: none, then the registry isn't compared.
    /// </summary>
    public Func<CancellationToken, Task<IReadOnlyCollection<string>>>? Registered { get; init; }

    /// <summary>
    /// How many groups of schemas are read at the same time, each over one connection. Default 4. A comparison uses one
    /// connection more for each version that it meets.
    /// </summary>
    public int Workers { get; init; } = 4;
}

/// <summary>The differences between schemas, ledger, registry and the build's migrations.</summary>
/// <param name="Checked">How many schemas were compared with what the migrations make.</param>
/// <param name="Drifted">Those that differ, or whose history or existence isn't what the ledger says; in the order of
/// their names.</param>
/// <param name="Incomparable">Those that this build can't judge, and why; in the order of their names. They don't make
/// the report unclean.</param>
/// <param name="Strays">Schemas that have a history table and no ledger row; ordered.</param>
/// <param name="Missing">Schemas that the registry names and that don't exist; ordered. Empty where no registry was
/// given.</param>
/// <param name="Unregistered">Schemas of the ledger that no row of the registry names, but for spare, archived and
/// dropped ones; ordered. Empty where no registry was given.</param>
/// <param name="Elapsed">How long it took.</param>
public sealed record DriftReport(
    int Checked,
    IReadOnlyList<SchemaDrift> Drifted,
    IReadOnlyList<IncomparableSchema> Incomparable,
    IReadOnlyList<string> Strays,
    IReadOnlyList<string> Missing,
    IReadOnlyList<SchemaName> Unregistered,
    TimeSpan Elapsed)
{
    /// <summary>Whether there is no difference, nothing superfluous and nothing missing.</summary>
    public bool IsClean => Drifted.Count + Strays.Count + Missing.Count + Unregistered.Count == 0;

    /// <summary>Both together: another database's after this one.</summary>
    internal DriftReport With(DriftReport other) => new(
        Checked + other.Checked, [.. Drifted, .. other.Drifted], [.. Incomparable, .. other.Incomparable],
        [.. Strays, .. other.Strays], [.. Missing, .. other.Missing], [.. Unregistered, .. other.Unregistered],
        Elapsed + other.Elapsed);
}

/// <summary>A schema that isn't as it should be.</summary>
/// <param name="Schema">Which.</param>
/// <param name="Differences">In words, one sentence for each, ordered: the same schema gives the same list
/// again.</param>
public sealed record SchemaDrift(SchemaName Schema, IReadOnlyList<string> Differences);

/// <summary>A schema that can't be compared.</summary>
/// <param name="Schema">Which.</param>
/// <param name="Reason">E.g. that it has migrations which this build doesn't know.</param>
public sealed record IncomparableSchema(SchemaName Schema, string Reason);

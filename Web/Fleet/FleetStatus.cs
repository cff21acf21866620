namespace Web.Fleet;

/// <summary>All customers' schemas, as the API tells them.</summary>
/// <param name="Target">The last migration that the API's build has; empty for none.</param>
/// <param name="Groups">The schemas by ring, state and version.</param>
/// <param name="Failures">Schemas whose last migration failed; the first <see cref="FleetLook.MostFailed"/>.</param>
/// <param name="Runs">The runs in progress, then the last that ended; ten at most.</param>
public sealed record FleetStatus(
    string Target, IReadOnlyList<FleetGroup> Groups, IReadOnlyList<FleetFailure> Failures,
    IReadOnlyList<FleetRun> Runs)
{
    /// <summary>Whether a run is in progress, whoever began it.</summary>
    public bool IsMoving => Runs.Any(run => run.IsRunning);

    /// <summary>On how many schemas the last migration failed.</summary>
    public int Failed => Groups.Sum(group => group.Failed);

    /// <summary>The databases that have customers, the first one first; empty where there is one.</summary>
    public IReadOnlyList<FleetDatabase> Databases { get; init; } = [];

    /// <summary>Whether there is more than one, and so something to choose.</summary>
    public bool HasSeveral => Databases.Count > 1;

    /// <summary>What is of one database.</summary>
    /// <param name="choice">Its <see cref="FleetDatabase.Choice"/>; null for all.</param>
    public FleetStatus In(string? choice)
    {
        return choice is null ? this : this with
        {
            Groups = [.. Groups.Where(group => Is(group.Database))],
            Failures = [.. Failures.Where(failure => Is(failure.Database))],
            Runs = [.. Runs.Where(run => Is(run.Database))],
        };

        bool Is(string? database) => (database ?? FleetDatabase.First) == choice;
    }
}

/// <summary>A database that has customers.</summary>
/// <param name="Name">Null for the first one.</param>
/// <param name="Error">Why it didn't answer; null where it did.</param>
public sealed record FleetDatabase(string? Name, string? Error)
{
    /// <summary>As the API calls the first one where one is chosen.</summary>
    public const string First = "first";

    /// <summary>Its name where one is chosen, and on the page.</summary>
    public string Choice => Name ?? First;

    /// <summary>In a sentence.</summary>
    /// <param name="choice">A <see cref="Choice"/>.</param>
    public static string Named(string? choice) => choice == First ? "the first database" : $"the database {choice}";

    /// <summary>In a list to choose from.</summary>
    /// <param name="choice">A <see cref="Choice"/>.</param>
    public static string Listed(string? choice) => choice == First ? "The first database" : $"The database {choice}";
}

/// <summary>Schemas that are alike.</summary>
/// <param name="Ring">When they are upgraded: 0 first.</param>
/// <param name="State">Their state: <c>ready</c>, <c>failed</c>, <c>suspended</c>, <c>spare</c> and others.</param>
/// <param name="Version">Their set of migrations.</param>
/// <param name="Standing"><c>current</c>, <c>behind</c>, <c>ahead</c> or <c>aheadAndBreaking</c>.</param>
/// <param name="Last">The last migration they have; null where nobody knows, or for none.</param>
/// <param name="Missing">What they lack of the build's migrations.</param>
/// <param name="Unknown">What they have that the build doesn't know.</param>
/// <param name="Schemas">How many they are.</param>
/// <param name="IsMigrated">Whether a run looks after them.</param>
/// <param name="Failed">On how many of them the last migration failed.</param>
public sealed record FleetGroup(
    int Ring, string State, string Version, string Standing, string? Last, IReadOnlyList<string> Missing,
    IReadOnlyList<string> Unknown, int Schemas, bool IsMigrated, int Failed = 0)
{
    /// <summary>The database that they are in; null for the first one.</summary>
    public string? Database { get; init; }

    /// <summary>Made beforehand: nobody's yet.</summary>
    public bool IsSpare => State == "spare";

    /// <summary>A customer's, whatever state it is in: not a spare one, and not removed.</summary>
    public bool IsCustomers => State is not ("spare" or "dropped");

    public bool IsBehind => IsMigrated && Standing == "behind";
}

/// <summary>A schema whose last migration failed.</summary>
/// <param name="Schema">Which.</param>
/// <param name="Ring">Its ring.</param>
/// <param name="Attempts">Failures since the last success.</param>
/// <param name="Error">What the last said.</param>
/// <param name="FailedAt">When that was.</param>
/// <param name="Database">The database that it is in; null for the first one.</param>
public sealed record FleetFailure(
    string Schema, int Ring, int Attempts, string Error, DateTimeOffset? FailedAt, string? Database = null);

/// <summary>A run over many schemas, of whichever process.</summary>
/// <param name="Id">Which.</param>
/// <param name="Kind"><c>migrate</c>, <c>retry</c>, <c>down</c> or <c>task</c>.</param>
/// <param name="AskedBy">The process: <c>user@host</c>.</param>
/// <param name="Target">The last migration that schemas shall have; a task's name.</param>
/// <param name="Total">How many schemas had to be brought there when it began.</param>
/// <param name="Migrated">How many it has brought there.</param>
/// <param name="Failed">How many it failed on.</param>
/// <param name="Ring">The ring it is in.</param>
/// <param name="StartedAt">By the database's clock, as all its times.</param>
/// <param name="HeartbeatAt">Its last sign of life.</param>
/// <param name="EndedAt">Null until then.</param>
/// <param name="Halt">Who has asked it to halt, and why.</param>
/// <param name="Outcome"><c>running</c>, <c>silent</c>, <c>done</c>, <c>halted</c>, <c>cancelled</c>, <c>broken</c> or
/// <c>lost</c>.</param>
public sealed record FleetRun(
    Guid Id, string Kind, string AskedBy, string Target, int Total, int Migrated, int Failed, int? Ring,
    DateTimeOffset StartedAt, DateTimeOffset HeartbeatAt, DateTimeOffset? EndedAt, string? Halt, string Outcome)
{
    /// <summary>The database that it runs over; null for the first one.</summary>
    public string? Database { get; init; }

    public bool IsRunning => Outcome == "running";

    /// <summary>How many it is through with.</summary>
    public int Done => Migrated + Failed;
}

/// <summary>A migration of the API's build.</summary>
/// <param name="Id">Which.</param>
/// <param name="BreaksOlderBuilds">Builds without it can't serve a customer that has it.</param>
/// <param name="OutsideTransaction">It is applied by itself, outside a transaction.</param>
public sealed record FleetMigration(string Id, bool BreaksOlderBuilds, bool OutsideTransaction);

/// <summary>What was asked to end.</summary>
/// <param name="Runs">How many runs there were.</param>
/// <param name="Unreached">The databases that didn't answer: their runs go on.</param>
public sealed record HaltedRuns(int Runs, IReadOnlyList<string>? Unreached = null);

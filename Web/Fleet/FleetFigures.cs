using System.Globalization;
using Web.Customers;
using Web.Shell;

namespace Web.Fleet;

/// <summary>The figures of a status: what charts and tables show.</summary>
internal static class FleetFigures
{
    /// <summary>A chart of more versions would be a list.</summary>
    private const int MostVersions = 6;

    public static int Customers(FleetStatus fleet) =>
        fleet.Groups.Where(group => group.IsCustomers).Sum(group => group.Schemas);

    /// <summary>
    /// Customers by state; states that nobody is in are left out. What was decided about them comes first, and counts
    /// each once; what keeps some of them from being served follows.
    /// </summary>
    /// <param name="counts">The registry's.</param>
    /// <param name="fleet">Knows the schemas in the making.</param>
    public static IReadOnlyList<Figure> ByState(CustomerCounts counts, FleetStatus fleet) =>
    [
        .. new Figure[]
        {
            new("Active", counts.Active, "good", Href: "/customers?status=active"),
            new("Suspended", counts.Suspended, "warn", Href: "/customers?status=suspended"),
            new("Archived", counts.Archived, Href: "/customers?status=archived"),
            new("Upgrade failed", counts.Failed, "bad", "Counted above, too. Not served until a migration succeeds.",
                "/customers?condition=failed"),
            new("Deleted", counts.Dropping, "bad", "Counted above, too. Not removed yet: it can be taken back.",
                "/customers?condition=dropping"),
            new("Being created",
                fleet.Groups.Where(group => group.State == "provisioning").Sum(group => group.Schemas)),
        }.Where(figure => figure.Number > 0),
    ];

    /// <summary>Customers by version: the build's first, then the many; the rest together.</summary>
    public static IReadOnlyList<Figure> ByVersion(FleetStatus fleet)
    {
        var versions = fleet.Groups.Where(group => group is { IsCustomers: true, IsMigrated: true })
            .GroupBy(group => group.Version)
            .Select(group => (One: group.First(), Number: group.Sum(one => one.Schemas)))
            .OrderByDescending(version => version.One.Standing == "current").ThenByDescending(version => version.Number)
            .ThenBy(version => version.One.Version, StringComparer.Ordinal).ToList();
        var figures = versions.Take(MostVersions).Select(version => Version(version.One, version.Number)).ToList();
        if (versions.Count > MostVersions)
        {
            figures.Add(new(Words.Count(versions.Count - MostVersions, "further version"),
                versions.Skip(MostVersions).Sum(version => version.Number)));
        }

        return figures;
    }

    /// <summary>The rings that a run goes through, the first first.</summary>
    public static IReadOnlyList<RingFigures> Rings(FleetStatus fleet)
    {
        return
        [
            .. fleet.Groups.Where(group => group.IsMigrated).GroupBy(group => group.Ring).OrderBy(ring => ring.Key)
                .Select(ring => new RingFigures(ring.Key,
                    ring.Where(group => !group.IsSpare).Sum(group => group.Schemas),
                    ring.Where(group => group is { IsBehind: true, IsSpare: false }).Sum(group => group.Schemas),
                    ring.Where(group => group is { IsBehind: true, IsSpare: true }).Sum(group => group.Schemas),
                    ring.Sum(group => group.Failed))),
        ];
    }

    /// <summary>
    /// Which migration how many customers of which ring have: the newest first, those that the build doesn't know
    /// before them.
    /// </summary>
    public static IReadOnlyList<MatrixRow> Matrix(FleetStatus fleet, IReadOnlyList<FleetMigration> build)
    {
        var groups = fleet.Groups.Where(group => group is { IsMigrated: true, IsSpare: false }).ToList();
        var rings = groups.Select(group => group.Ring).Distinct().Order().ToList();
        var unknown = groups.SelectMany(group => group.Unknown).Distinct().OrderDescending(StringComparer.Ordinal);
        return
        [
            .. unknown.Select(id => new MatrixRow(id, null, Count(group => group.Unknown.Contains(id)))),
            .. build.Reverse().Select(migration => new MatrixRow(
                migration.Id, migration, Count(group => !group.Missing.Contains(migration.Id)))),
        ];

        IReadOnlyList<RingShare> Count(Func<FleetGroup, bool> has) =>
        [
            .. rings.Select(ring => new RingShare(ring,
                groups.Where(group => group.Ring == ring && has(group)).Sum(group => group.Schemas),
                groups.Where(group => group.Ring == ring).Sum(group => group.Schemas))),
        ];
    }

    /// <summary>How many customers of which ring have a migration of the build.</summary>
    public static IReadOnlyList<RingShare> Has(FleetStatus fleet, string migration) =>
        Matrix(fleet, [new(migration, BreaksOlderBuilds: false, OutsideTransaction: false)])
            .Single(row => row.Id == migration).Rings;

    private static Figure Version(FleetGroup version, int number) => new(
        version.Last ?? "No known migration", number, version.Standing == "current" ? "good" : "warn",
        version.Standing switch
        {
            "current" => "All of this build's migrations.",
            "behind" => $"{Words.Count(version.Missing.Count, "migration")} of this build missing.",
            "ahead" => "Ahead of this build, and served by it.",
            "aheadAndBreaking" => "Ahead of this build, which can't serve it.",
            var other => other,
        },
        version.Version is "" ? null : $"/customers?version={version.Version}");
}

/// <summary>A ring in numbers.</summary>
/// <param name="Ring">Which; 0 is upgraded first.</param>
/// <param name="Customers">How many it has that a run looks after.</param>
/// <param name="Behind">How many of them lack a migration.</param>
/// <param name="SparesBehind">How many schemas in reserve do.</param>
/// <param name="Failed">How many schemas failed at their last migration.</param>
public sealed record RingFigures(int Ring, int Customers, int Behind, int SparesBehind, int Failed);

/// <summary>A migration, and who has it.</summary>
/// <param name="Id">Which.</param>
/// <param name="Migration">Null where the build doesn't know it.</param>
/// <param name="Rings">By ring.</param>
public sealed record MatrixRow(string Id, FleetMigration? Migration, IReadOnlyList<RingShare> Rings)
{
    public int Has => Rings.Sum(ring => ring.Has);
}

/// <summary>How many customers of a ring have a migration.</summary>
public sealed record RingShare(int Ring, int Has, int Of)
{
    public string Words => string.Create(CultureInfo.CurrentCulture, $"{Has:N0} of {Of:N0}");
}

using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using static Tenancy.TenancyTelemetry;

namespace Tenancy;

/// <summary>
/// Why a request that needs a tenant was not let in; the application decides, see
/// <see cref="TenancyMetrics.Refuse(RequestRefusal)"/>.
/// </summary>
public enum RequestRefusal
{
    /// <summary>It names no tenant.</summary>
    NoTenant,

    /// <summary>The request names something that can't be a slug.</summary>
    InvalidTenant,

    /// <summary>There is no such tenant.</summary>
    UnknownTenant,

    /// <summary>The user belongs to another tenant.</summary>
    OtherTenant,

    /// <summary>The tenant sends more than its limits allow.</summary>
    OverLimit,
}

/// <summary>
/// Why a request was answered with 503; see <see cref="TenancyMetrics.Unavailable(Unavailability)"/>.
/// </summary>
public enum Unavailability
{
    /// <summary>The tenant's schema waits for a migration.</summary>
    Upgrading,

    /// <summary>A migration of the tenant's schema failed.</summary>
    Failed,

    /// <summary>The tenant's schema is being made.</summary>
    Provisioning,

    /// <summary>The tenant is suspended or archived.</summary>
    Suspended,

    /// <summary>PostgreSQL can't be reached, doesn't answer or is shutting down.</summary>
    Database,

    /// <summary>The connection pool or the server has no connection left.</summary>
    Busy,

    /// <summary>The node of the Citus cluster that has the tenant can't be reached.</summary>
    Node,

    /// <summary>The tenant is in a database that the process doesn't know.</summary>
    Unreachable,
}

/// <summary>
/// The instruments of one host's meter, by the names in <see cref="TenancyTelemetry"/>. Each host has its own meter,
/// from <see cref="IMeterFactory"/>. Counters report all their values from the start, zeros included, because
/// OpenTelemetry exports no instrument without a measurement.
/// </summary>
public sealed class TenancyMetrics : IDisposable
{
    /// <summary>How many versions get a series of their own.</summary>
    internal const int MostVersions = 10;

    private readonly Meter? _own;
    private readonly Tally _lookups = new([new(Result, "hit")], [new(Result, "miss")]);
    private readonly Tally _refusals = new(
    [
        .. Enum.GetValues<CommandRule>().Select(rule => Refusal("command", rule.ToString())),
        Refusal("command", nameof(RequestRefusal.NoTenant)),
        .. Enum.GetValues<RequestRefusal>().Select(reason => Refusal("request", reason.ToString())),
    ]);
    private readonly Tally _unavailable = new(
        [.. Enum.GetValues<Unavailability>()
            .Select(reason => new KeyValuePair<string, object?>[] { new(Reason, SnakeCase(reason.ToString())) })]);
    private readonly Tally _migrations = new([new(Outcome, "migrated")], [new(Outcome, "failed")]);
    private readonly Histogram<double> _run;
    private readonly Histogram<double> _group;
    private readonly Histogram<double> _provisioning;
    private long _leases;

    /// <summary>Makes the instruments. Meant for the container.</summary>
    /// <param name="services">May have an <see cref="IMeterFactory"/>; every generic host has.</param>
    public TenancyMetrics(IServiceProvider services)
    {
        var meter = services.GetService<IMeterFactory>()?.Create(Name) ?? (_own = new(Name));
        meter.CreateObservableGauge(
            TenancyTelemetry.Tenants, () => Fleets.SelectMany(fleet => fleet.ByState), "{tenant}",
            "Tenants by the state of their schema.");
        meter.CreateObservableGauge(
            TenantsByVersion, () => Fleets.SelectMany(fleet => fleet.ByVersion), "{tenant}",
            "Tenants by the version of their schema.");
        meter.CreateObservableGauge(TenancyTelemetry.SpareSchemas,
            () => Fleets.Select(fleet => fleet.SpareSchemas), "{schema}",
            "Schemas made beforehand, for tenants to come.");
        meter.CreateObservableGauge(DoctorOver, () => Findings
                .Select(finding => Measure(finding.Verdict == DoctorVerdict.Over ? 1 : 0, finding)),
            "1", "Whether a number of the doctor is over its limit.");
        meter.CreateObservableGauge(DoctorUsage, () => Findings.Where(finding => finding.Limit > 0)
                .Select(finding => Measure(finding.Value!.Value / finding.Limit!.Value, finding)),
            "1", "A number of the doctor divided by its limit.");
        meter.CreateObservableUpDownCounter(
            Leases, () => Interlocked.Read(ref _leases), "{context}", "Contexts that serve a tenant now.");
        meter.CreateObservableCounter(ConnectionsRecycled,
            () => services.GetService<TenancyOptions>()?.Backends.Recycled ?? 0, "{connection}",
            "Connections that were closed because their server process had met too many schemas.");
        meter.CreateObservableCounter(DirectoryLookups, _lookups.Read, "{lookup}", "Lookups of a tenant by its slug.");
        meter.CreateObservableCounter(Refusals, _refusals.Read, "{refusal}",
            "Commands that the guard refused, and requests without a tenant to serve.");
        meter.CreateObservableCounter(
            TenancyTelemetry.Unavailable, _unavailable.Read, "{request}", "Requests answered with 503.");
        meter.CreateObservableCounter(TenancyTelemetry.Migrations, _migrations.Read, "{schema}",
            "Schemas that a migration run brought to its version, or failed on.");
        _run = Seconds(meter, RunDuration, "How long a migration run took.", 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120,
            300, 600, 1800, 3600);
        _group = Seconds(meter, GroupDuration, "How long the transaction of a group of schemas took.", 0.005, 0.01,
            0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 10, 30, 60);
        _provisioning = Seconds(meter, ProvisioningDuration, "How long a new tenant waited for its schema.", 0.001,
            0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 2.5, 5, 10);
    }

    /// <summary>
    /// The values of the gauges, of the first database. Null while nothing is known: then the gauges report nothing.
    /// </summary>
    internal FleetSnapshot? Fleet { get; set; }

    /// <summary>Those of the other databases, by name. Their values have the attribute tenancy.database.</summary>
    internal ConcurrentDictionary<string, FleetSnapshot?> Others { get; } = new(StringComparer.Ordinal);

    /// <summary>
    /// The last examination of each database, by name; the first one's is <see cref="TenancyOptions.FirstDatabase"/>.
    /// </summary>
    internal ConcurrentDictionary<string, DoctorReport> Doctor { get; } = new(StringComparer.Ordinal);

    /// <summary>The numbers that are known.</summary>
    private IEnumerable<DoctorFinding> Findings =>
        Doctor.Values.SelectMany(report => report.Findings).Where(finding => finding.Value is not null);

    private IEnumerable<FleetSnapshot> Fleets => Others.Values.Prepend(Fleet).OfType<FleetSnapshot>();

    /// <summary>Counts a request that was not let in, because it names no tenant that there is.</summary>
    public void Refuse(RequestRefusal reason) => _refusals.Add(Enum.GetValues<CommandRule>().Length + 1 + (int)reason);

    /// <summary>Counts a request that was answered with 503.</summary>
    public void Unavailable(Unavailability reason) => _unavailable.Add((int)reason);

    /// <inheritdoc/>
    public void Dispose() => _own?.Dispose();

    internal void Refuse(CommandRule rule) => _refusals.Add((int)rule);

    internal void RefuseNobody() => _refusals.Add(Enum.GetValues<CommandRule>().Length);

    internal void Lease() => Interlocked.Increment(ref _leases);

    internal void Return() => Interlocked.Decrement(ref _leases);

    internal void LookUp(bool asked) => _lookups.Add(asked ? 1 : 0);

    internal void Migrated(int schemas) => _migrations.Add(0, schemas);

    internal void FailedToMigrate() => _migrations.Add(1);

    internal void GroupTook(TimeSpan time) => _group.Record(time.TotalSeconds);

    internal void RunTook(TimeSpan time, string outcome) =>
        _run.Record(time.TotalSeconds, new KeyValuePair<string, object?>(Outcome, outcome));

    internal void ProvisioningTook(TimeSpan time, bool fromSpare, Exception? error = null)
    {
        var source = new KeyValuePair<string, object?>(ProvisioningSource, fromSpare ? "spare" : "made");
        if (error is null)
        {
            _provisioning.Record(time.TotalSeconds, source);
        }
        else
        {
            var type = error is PostgresException said ? said.SqlState : error.GetType().FullName;
            _provisioning.Record(time.TotalSeconds, source, new(ErrorType, type));
        }
    }

    private static Measurement<double> Measure(double value, DoctorFinding finding)
    {
        var id = new KeyValuePair<string, object?>(Finding, finding.Id);
        return finding.Database is { } database ? new(value, id, new(Database, database)) : new(value, id);
    }

    private static KeyValuePair<string, object?>[] Refusal(string what, string why) =>
        [new(Refused, what), new(Reason, SnakeCase(why))];

    private static string SnakeCase(string name) => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(name);

    private static Histogram<double> Seconds(
        Meter meter, string name, string description, params double[] boundaries) =>
            meter.CreateHistogram(name, "s", description, tags: null,
                new InstrumentAdvice<double> { HistogramBucketBoundaries = boundaries });

    /// <summary>Counts by attribute values that are all known beforehand.</summary>
    private sealed class Tally(params KeyValuePair<string, object?>[][] values)
    {
        private readonly long[] _counts = new long[values.Length];

        public void Add(int value, long count = 1) => Interlocked.Add(ref _counts[value], count);

        public IEnumerable<Measurement<long>> Read() =>
            values.Select((tags, at) => new Measurement<long>(Interlocked.Read(ref _counts[at]), tags));
    }
}

using System.Net;

namespace Tests.Unit.Web;

/// <summary>Customers' schemas as the API tells them, for tests of the pages that show all customers.</summary>
internal sealed class FleetFacts
{
    public const string Initial = "20261101000000_Initial";
    public const string Colors = "20261201000000_Colors";

    /// <summary>Empty where there is one.</summary>
    public List<object> Databases { get; } = [];

    public List<object> Groups { get; } = [];

    public List<object> Failures { get; } = [];

    public List<object> Runs { get; } = [];

    public List<object> Failed { get; } = [];

    /// <summary>Behind, and not failed.</summary>
    public List<object> Behind { get; } = [];

    /// <summary>Operations that wait or run.</summary>
    public List<object> Active { get; } = [];

    /// <summary>What the doctor says.</summary>
    public List<object> Findings { get; } = [];

    /// <summary>Comparisons that are done.</summary>
    public List<object> Compared { get; } = [];

    /// <summary>Answers all that the pages read; writes and single operations are the test's.</summary>
    public Func<HttpRequestMessage, HttpResponseMessage> Answer(
        Func<HttpRequestMessage, HttpResponseMessage>? others = null) => request =>
        (request.Method.Method, request.RequestUri!.PathAndQuery) switch
        {
            ("GET", "/fleet?failures=50") => FakeApi.Json(HttpStatusCode.OK,
                new
                {
                    target = Colors, groups = Groups, failures = Failures, laggards = Array.Empty<object>(), runs = Runs,
                    databases = Databases,
                }),
            ("GET", "/customer-counts?search=") => FakeApi.Json(HttpStatusCode.OK, new
            {
                total = 10, active = 8, suspended = 1, archived = 1, failed = 1, behind = 2, dropping = 0,
                rings = Array.Empty<object>(),
            }),
            ("GET", "/doctor" or "/doctor?fresh=true") => FakeApi.Json(HttpStatusCode.OK,
                new
                {
                    at = "2026-11-23T12:00:00Z", elapsed = "00:00:00.6120000", findings = Findings,
                    databases = Databases,
                }),
            ("GET", "/fleet/migrations") => FakeApi.Json(HttpStatusCode.OK, new[]
            {
                new { id = Initial, breaksOlderBuilds = false, outsideTransaction = false },
                new { id = Colors, breaksOlderBuilds = true, outsideTransaction = true },
            }),
            ("GET", var path) when path.StartsWith("/customers?condition=failed", StringComparison.Ordinal) =>
                FakeApi.Page([.. Failed]),
            ("GET", var path) when path.StartsWith("/customers?condition=waiting", StringComparison.Ordinal) =>
                FakeApi.Page([.. Behind]),
            ("GET", var path) when path.StartsWith("/customers?sort=-size", StringComparison.Ordinal) =>
                FakeApi.Page(Customer("globex", bytes: 3 * 1024 * 1024)),
            ("GET", var path) when path.StartsWith("/operations?", StringComparison.Ordinal) => Operations(
                path.Contains("state=running", StringComparison.Ordinal) ? Active
                    : path.Contains("kind=verify", StringComparison.Ordinal) ? Compared : []),
            _ => others?.Invoke(request)
                ?? throw new InvalidOperationException($"Nobody said what {request.RequestUri} answers."),
        };

    /// <summary>Two rings; one customer of ring 1 has failed, another is behind, one schema is spare.</summary>
    public static FleetFacts WithOneFailure()
    {
        var facts = new FleetFacts();
        facts.Groups.AddRange(
        [
            Group(0, "ready", "v2", 3), Group(1, "ready", "v2", 5), Group(1, "ready", "v1", 1),
            Group(1, "failed", "v1", 1), Group(1, "spare", "v1", 2), Group(1, "dropped", "v1", 7),
        ]);
        facts.Failures.Add(new
        {
            schema = "customer_acme", ring = 1, attempts = 2, error = "42P07: exists", failedAt = "2026-11-23T12:00:00Z",
        });
        facts.Failed.Add(Customer("acme", error: Colors + ": 42P07: relation \"colors\" already exists"));
        facts.Behind.Add(Customer("initech"));
        return facts;
    }

    public static object Group(int ring, string state, string version, int schemas, string? database = null) => new
    {
        database,
        ring,
        state,
        version,
        standing = version == "v1" ? "behind" : "current",
        last = version == "v1" ? Initial : Colors,
        missing = version == "v1" ? new[] { Colors } : [],
        late = Array.Empty<string>(),
        unknown = Array.Empty<string>(),
        schemas,
        isMigrated = state is "ready" or "failed" or "suspended" or "spare",
        failed = state is "failed" ? schemas : 0,
    };

    /// <summary>A number of the doctor's; null where it is unknown.</summary>
    public static object Finding(
        string id, double? value, double? limit = 10, string unit = "schemas", params string[] names) =>
            FindingIn(null, id, value, limit, unit, names);

    /// <summary>The same of a database; null for the first one.</summary>
    public static object FindingIn(string? database, string id, double? value, double? limit = 10,
        string unit = "schemas", params string[] names) => new
        {
            database,
            id,
            title = $"Title of {id}",
            value,
            limit,
            unit,
            says = $"It says {id}.",
            why = "It hurts.",
            advice = value is null || value > limit ? "Mend it." : "",
            names,
            verdict = value is null ? "unknown" : value > limit ? "over" : "ok",
        };

    public static object Customer(string slug, string? error = null, long bytes = 0) => new
    {
        id = Guid.NewGuid(),
        slug,
        name = $"{slug} Inc.",
        schema = $"customer_{slug}",
        status = "active",
        availability = error is null ? "served" : "failed",
        ring = 1,
        createdAt = "2026-11-23T12:00:00Z",
        lastMigration = Initial,
        lastError = error,
        bytes,
    };

    public static object Run(string kind = "migrate", string outcome = "running", int total = 40, int migrated = 18,
        int failed = 2, string? database = null) => new
        {
            database,
            id = Guid.NewGuid(),
            kind,
            askedBy = "job@host",
            target = Colors,
            total,
            migrated,
            failed,
            ring = 1,
            startedAt = "2026-11-23T12:00:00Z",
            heartbeatAt = "2026-11-23T12:00:10Z",
            endedAt = outcome == "running" ? null : "2026-11-23T12:00:10Z",
            halt = (string?)null,
            outcome,
        };

    public static object Operation(Guid id, string kind = "migrate", string state = "running", object? result = null,
        string? customer = null) => new
        {
            id,
            kind,
            customer,
            askedBy = "ada",
            state,
            done = 3,
            total = 8,
            result,
            createdAt = "2026-11-23T11:59:59Z",
            startedAt = state == "queued" ? null : "2026-11-23T11:59:59Z",
            endedAt = state is "queued" or "running" ? null : "2026-11-23T12:00:11Z",
        };

    private static HttpResponseMessage Operations(List<object> items) =>
        FakeApi.Json(HttpStatusCode.OK, new { items, next = (Guid?)null });
}

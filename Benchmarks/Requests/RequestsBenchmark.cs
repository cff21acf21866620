using System.Diagnostics;
using Benchmarks.Measuring;
using Npgsql;
using Tenancy;

namespace Benchmarks.Requests;

/// <summary>How much is measured.</summary>
internal sealed record RequestsPlan(int Tenants, int Rounds, TimeSpan Slice, int Schemas);

/// <summary>
/// What does one request among many tenants cost, against an application of one tenant and against the other ways to
/// serve many?
/// </summary>
internal sealed class RequestsBenchmark(RequestsPlan plan, TextWriter output)
{
    private const string Many = "tenants";
    private const string One = "single";

    // A copy of the first that grows: what is tried out there is in nobody's way.
    private const string Growing = "fleet";

    private readonly Stopwatch _clock = Stopwatch.StartNew();

    private Tenant[] Tenants => [.. Enumerable.Range(0, plan.Tenants).Select(Fleet.Tenant)];

    public async Task RunAsync(CancellationToken ct)
    {
        await using var fleet = await Fleet.StartAsync(ct);
        var server = await fleet.DescriptionAsync(ct);
        Say(server);
        Say($"Creating {plan.Tenants} customers, and one in a database of its own.");
        await fleet.CreateDatabaseAsync(Many, copyOf: null, ct);
        await fleet.ProvisionAsync(Many, 0, plan.Tenants, ct);
        await fleet.CreateDatabaseAsync(Growing, copyOf: Many, ct);
        // Tenant 0 serves the library's variants; tenant 1 becomes what an application of one tenant has.
        await fleet.CreateDatabaseAsync(One, copyOf: null, ct);
        await fleet.ProvisionAsync(One, 0, 2, ct);
        await fleet.MoveToPublicAsync(One, 1, ct);

        // First, while the heap is small.
        Say("Memory per customer.");
        var ours = await MemoryAsync(new Ours("memory", fleet.ConnectionString(Growing), Tenants), ct);
        var modelPerTenant = await MemoryAsync(
            new ModelPerTenant("memory", fleet.ConnectionString(Growing), Tenants), ct);
        var results = await SlicesAsync(fleet, ct)
            with { KilobytesOurs = ours, KilobytesModelPerTenant = modelPerTenant };
        Say($"First open: creating customers up to {plan.Schemas}.");
        await fleet.CreateDatabaseAsync("empty", copyOf: null, ct);
        await fleet.ProvisionAsync(Growing, plan.Tenants, plan.Schemas - plan.Tenants, ct);
        results = results
            with { FirstOpen = await FirstOpen.MeasureAsync(
                fleet.ConnectionString("empty"), fleet.ConnectionString(Growing), plan.Rounds, ct) };
        Say("Done.");
        RequestsReport.Write(output, plan, server, results);
    }

    private async Task<RequestsResults> SlicesAsync(Fleet fleet, CancellationToken ct)
    {
        var tenants = Tenants;
        string many = fleet.ConnectionString(Many), one = fleet.ConnectionString(One);
        var roles = new TenantRoleOptions("shared", "tenancy_api");
        var serves = await fleet.GiveRolesAsync(Many, tenants, roles, ct);
        Variants rivals = new(
            SingleEf.Stock("single-stock", one, Fleet.Tenant(1)),
            SingleEf.SameSettings("single-same", one, Fleet.Tenant(1)),
            new Ours("ours, 1 tenant", one, [tenants[0]]),
            new Raw("raw, 1 tenant", one, [tenants[0]]),
            new SearchPath("search_path", many, tenants),
            new ModelPerTenant("model-per-tenant", many, tenants),
            new Ours("ours", many, tenants),
            new Ours("ours, compiled", many, tenants, compiled: true),
            new Ours("ours, per scope", many, tenants, configure: options => options.PerScope()),
            new Ours("ours, a role each", many, tenants, configure: options =>
            {
                options.TenantConnectionString = Variant.ConnectionString(serves, "ours, a role each");
                options.TenantRoles = roles;
            }),
            new Ours("ours, two databases", many, tenants, configure: options =>
                options.Databases["two"] = new() { ConnectionString = one }),
            new Raw("raw", many, tenants));
        await using var _ = rivals;
        await using var admin = NpgsqlDataSource.Create(one);

        var servers = new Dictionary<Variant, ServerCpu>();
        var backends = new Dictionary<Variant, IReadOnlyList<int>>();
        foreach (var variant in rivals.All)
        {
            Say($"Warming up {variant.Name}.");
            await WarmUp.MeetSchemasAsync(variant.Database, variant.RoleOfAll,
                variant is SingleEf ? ["public"] : [.. variant.Tenants.Select(tenant => tenant.Schema.Value)], ct);
            await WarmUp.CheckAsync(variant, ct);
            servers[variant] = await ServerCpu.OfAsync(admin, variant.Name, ct);
            backends[variant] = await ServerCpu.BackendsAsync(admin, variant.Name, ct);
        }

        var slices = new Slices(rivals.All, servers, plan.Slice);
        for (var round = -2; round < plan.Rounds; round++)
        {
            if (round == 0)
            {
                slices.Forget();
            }

            Say(round < 0 ? "A round that isn't counted." : $"Round {round + 1} of {plan.Rounds}.");
            await slices.RoundAsync(round + 2, BeforeAsync, ct);
        }

        foreach (var variant in rivals.All)
        {
            if (!backends[variant].SequenceEqual(await ServerCpu.BackendsAsync(admin, variant.Name, ct)))
            {
                throw new InvalidOperationException(
                    $"Backends of {variant.Name} were replaced while it was measured: what the new ones had to learn " +
                    "is in the figures. Run it again.");
            }
        }

        return new(slices, rivals);

        async Task BeforeAsync(Load load)
        {
            await Fleet.StartOverAsync(admin, "public", Fleet.Tenant(1).Schema.Value, ct);
            await Fleet.StartOverAsync(admin, tenants[0].Schema.Quoted, tenants[0].Schema.Value, ct);
        }
    }

    private static async Task<double> MemoryAsync(Variant variant, CancellationToken ct)
    {
        await using (variant)
        {
            return await MemoryPerTenant.KilobytesAsync(variant, ct);
        }
    }

    private void Say(string what) =>
        output.WriteLine(FormattableString.Invariant($"{_clock.Elapsed.TotalSeconds,5:0} s  {what}"));
}

/// <summary>Who runs against whom.</summary>
internal sealed record Variants(
    Variant SingleStock, Variant SingleSame, Variant OursOne, Variant RawOne, Variant SearchPath,
    Variant ModelPerTenant, Variant Ours, Variant OursCompiled, Variant OursPerScope, Variant OursRoles,
    Variant OursTwo, Variant Raw) : IAsyncDisposable
{
    public IReadOnlyList<Variant> All =>
        [SingleStock, SingleSame, OursOne, RawOne, SearchPath, ModelPerTenant, Ours, OursCompiled, OursPerScope,
            OursRoles, OursTwo, Raw];

    public async ValueTask DisposeAsync()
    {
        foreach (var variant in All)
        {
            await variant.DisposeAsync();
        }
    }
}

/// <summary>What came out.</summary>
internal sealed record RequestsResults(Slices Slices, Variants Variants)
{
    public double KilobytesOurs { get; init; }

    public double KilobytesModelPerTenant { get; init; }

    public FirstOpen FirstOpen { get; init; } = new([], [], [], [], [], []);
}

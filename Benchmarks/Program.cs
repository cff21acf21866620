using System.CommandLine;
using System.Globalization;
using Benchmarks.Backends;
using Benchmarks.Citus;
using Benchmarks.Export;
using Benchmarks.Including;
using Benchmarks.Migration;
using Benchmarks.Pending;
using Benchmarks.Provisioning;
using Benchmarks.Requests;
using Benchmarks.Scale;
using Benchmarks.Serving;
using Benchmarks.Stamping;
using Benchmarks.Startup;
using Benchmarks.Verify;
using Tenancy.Fleet;
using Command = System.CommandLine.Command;
using NoPostgresException = Tenancy.Postgres.NoPostgresException;

const int failed = 1, usage = 64, cancelled = 130;

if (args is ["migration", ..])
{
    // As in the job.
    IdleThreads.Sleep();
}

var quick = new Option<bool>("--quick") { Description =
    "Half a minute, to see that it runs: few customers, rounds and schemas where they aren't named. Its figures " +
    "say nothing." };
var tenants = Number("--tenants", "How many customers are served", 1000, quickly: 40, 2, 5000);
var rounds = Number("--rounds", "How many slices each variant gets for each load", 21, quickly: 3, 1, 1000);
var slice = Number("--slice", "How long a slice is, in milliseconds", 400, quickly: 60, 20, 10_000);
var schemas = Number("--schemas",
    "How many customers the database has whose first open is measured; at least --tenants", 5000, quickly: 100, 2,
    20_000);

var requests = new Command("requests",
    "What one request among many customers costs: against an application of one tenant, and against the other ways " +
    "to serve many.")
{
    tenants, rounds, slice, schemas, quick,
};
requests.SetAction(async (parsed, ct) =>
{
    var plan = new RequestsPlan(
        parsed.GetValue(tenants), parsed.GetValue(rounds), TimeSpan.FromMilliseconds(parsed.GetValue(slice)),
        parsed.GetValue(schemas));
    if (plan.Schemas < plan.Tenants)
    {
        await Console.Error.WriteLineAsync(
            $"--schemas {plan.Schemas} is less than --tenants {plan.Tenants}: that database begins as a copy " +
            "of the other.");
        return usage;
    }

    return await EndedAsync(new RequestsBenchmark(plan, Console.Out).RunAsync(ct), ct);
});

var stamp = new Command("stamp", "What it costs to write a customer's schema into a command, alone.") { rounds, quick };
stamp.SetAction((parsed,
    ct) => EndedAsync(Task.Run(() => StampBenchmark.Run(parsed.GetValue(rounds), Console.Out, ct), ct), ct));

var startup = new Command(
    "startup", "What the compiled model saves until the first query has answered.") { rounds, quick };
startup.SetAction((parsed, ct) => EndedAsync(StartupBenchmark.RunAsync(parsed.GetValue(rounds), Console.Out, ct), ct));

var include = new Command("include",
    "What a list with its lines costs, with the code for a row made once, against EF's way.") { rounds, quick };
include.SetAction((parsed, ct) => EndedAsync(IncludeBenchmark.RunAsync(parsed.GetValue(rounds), Console.Out, ct), ct));

var pairs = Number("--rounds", "How many times both are measured, in turn", 7, quickly: 3, 1, 1000);
var verify = new Command("verify",
    "What it costs to compare every customer's schema with the migrations, beside pg_dump.") { tenants, pairs, quick };
verify.SetAction((parsed,
    ct) => EndedAsync(VerifyBenchmark.RunAsync(parsed.GetValue(tenants), parsed.GetValue(pairs), Console.Out, ct), ct));

var exported = Number("--invoices", "How many invoices of three lines the exported customer has", 50_000, quickly: 500, 1,
    10_000_000);
var export = new Command("export",
    "What it costs to export one customer among many, beside pg_dump; and to import and to clone it.") { tenants,
        exported, pairs, quick };
export.SetAction((parsed, ct) => EndedAsync(ExportBenchmark.RunAsync(parsed.GetValue(tenants),
    parsed.GetValue(exported), parsed.GetValue(pairs), Console.Out, ct), ct));

var serving = new Command("api",
    "What a whole request costs, over Kestrel and with a key, against the same endpoints without tenancy; and what quiet " +
    "tenants notice of a noisy one.") { tenants, rounds, slice, quick };
serving.SetAction((parsed, ct) => EndedAsync(new ServingBenchmark(parsed.GetValue(tenants), parsed.GetValue(rounds),
    TimeSpan.FromMilliseconds(parsed.GetValue(slice)), Console.Out).RunAsync(ct), ct));

var provisioning = new Command("provisioning",
    "What a new customer's schema costs, against its DDL alone, and one made beforehand, against a row.") { rounds,
        quick };
provisioning.SetAction((parsed,
    ct) => EndedAsync(ProvisioningBenchmark.RunAsync(parsed.GetValue(rounds), Console.Out, ct), ct));

var model = new Argument<string>("model").AcceptOnlyFromAmong("compiled", "built");
var once = new Command("startup-once", "One start, for the one above.") { model };
once.Hidden = true;
once.SetAction((parsed, ct) => StartupBenchmark.StartOnceAsync(
    parsed.GetValue(model) == "compiled", Environment.GetEnvironmentVariable(StartupBenchmark.Child) ?? "", Console.Out,
    ct));

var fleet = Number("--tenants", "How many customers are migrated", 1000, quickly: 40, 8, 5000);
var migrations = Number(
    "--rounds", "How often each way migrates all of them; the slow ways every second time", 15, quickly: 2, 1, 1000);
var migration = new Command("migration",
    "What one migration of the whole fleet costs: against a loop on the server, and against EF's own way, customer " +
    "by customer.") { fleet, migrations, quick };
migration.SetAction((parsed,
    ct) => EndedAsync(
        new MigrationBenchmark(parsed.GetValue(fleet), parsed.GetValue(migrations), Console.Out).RunAsync(ct), ct));

var enrolled = Number("--tenants", "How many customers the ledger has", 10_000, quickly: 100, 2, 100_000);
var starts = Number("--rounds", "How often each is measured", 21, quickly: 2, 1, 1000);
var pending = new Command("pending",
    "What it costs to find that nothing has to be migrated: the deciding query, and the job as a process.") { enrolled,
        starts, quick };
pending.SetAction((parsed,
    ct) => EndedAsync(
        new PendingBenchmark(parsed.GetValue(enrolled), parsed.GetValue(starts), Console.Out).RunAsync(ct), ct));

var scaled = Number("--tenants", "How many customers the database has", 10_000, quickly: 60, 20, 20_000);
var scales = Number("--rounds", "How many rounds are served; a quarter of them migrated and verified", 11, quickly: 2, 1,
    1000);
var scale = new Command("scale",
    "What everything costs with very many customers: beside ten of them, and beside SQL by hand. Needs 12 GB of memory " +
    "for 10,000.") { scaled, scales, quick };
scale.SetAction((parsed,
    ct) => EndedAsync(new ScaleBenchmark(parsed.GetValue(scaled), parsed.GetValue(scales), Console.Out).RunAsync(ct),
        ct));

var met = Number("--tenants", "How many customers are met", 1000, quickly: 60, 20, 10_000);
var backends = new Command("backends",
    "How much memory a server process keeps of the schemas it has met, and what it costs to close connections for it.")
{
    met, pairs, quick,
};
backends.SetAction((parsed, ct) => EndedAsync(
    new BackendsBenchmark(parsed.GetValue(met), parsed.GetValue(pairs), Console.Out).RunAsync(ct), ct));

var coordinator = new Option<string?>("--coordinator")
{
    Description = "The connection string of a database on a Citus cluster's coordinator that has the nodes in " +
        "pg_dist_node. Its user is a superuser, and the nodes let him in by the same password. Default: the variable " +
        "TEST_CITUS.",
};
var clustered = Number("--tenants", "How many customers each of the two databases has", 50, quickly: 5, 2, 1000);
var citus = new Command("citus",
    "What the operations take on a Citus cluster, beside a database without Citus on the coordinator's server.")
{
    coordinator, clustered, pairs, quick,
};
citus.Validators.Add(result =>
{
    if (Coordinator(result.GetValue(coordinator)) is null)
    {
        result.AddError("No cluster is named: add --coordinator \"Host=...;Username=...;Password=...;Database=...\", " +
            "or set TEST_CITUS.");
    }
});
citus.SetAction((parsed, ct) => EndedAsync(new CitusBenchmark(Coordinator(parsed.GetValue(coordinator))!,
    parsed.GetValue(clustered), parsed.GetValue(pairs), Console.Out).RunAsync(ct), ct));

var root = new RootCommand(
    "The library's price, measured. Exit codes: 0 done, 1 failed, 64 wrong arguments, 130 cancelled.") { requests,
        include, stamp, startup, migration, verify, export, serving, provisioning, pending, scale,
            backends, citus, once };
var arguments = root.Parse(args);
// Long enough to stop the server and to delete its data after Ctrl+C.
var result = await arguments.InvokeAsync(new() { ProcessTerminationTimeout = TimeSpan.FromSeconds(60) });
return arguments.Errors.Count > 0 ? usage : result;

// Not the option's default: the help would show its password.
static string? Coordinator(string? given) =>
    (given ?? Environment.GetEnvironmentVariable("TEST_CITUS")) is { Length: > 0 } named ? named : null;

static async Task<int> EndedAsync(Task benchmark, CancellationToken ct)
{
    try
    {
        await benchmark;
        return 0;
    }
    catch (OperationCanceledException) when (ct.IsCancellationRequested)
    {
        await Console.Error.WriteLineAsync("Cancelled.");
        return cancelled;
    }
    catch (NoPostgresException problem)
    {
        await Console.Error.WriteLineAsync(problem.Message);
        return failed;
    }
}

Option<int> Number(string name, string description, int usually, int quickly, int least, int most) => new(name)
{
    Description = $"{description} [{least} to {most}; {usually}, with --quick {quickly}]",
    DefaultValueFactory = result => result.GetValue(quick) ? quickly : usually,
    CustomParser = result =>
    {
        var text = result.Tokens[0].Value;
        if (!int.TryParse(text, CultureInfo.InvariantCulture, out var value) || value < least || value > most)
        {
            result.AddError($"{name} takes a number from {least} to {most}, not '{text}'.");
        }

        return value;
    },
};

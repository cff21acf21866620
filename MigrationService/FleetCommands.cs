using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using MigrationService.Reports;
using Spectre.Console;
using Tenancy;
using static MigrationService.FleetArguments;

namespace MigrationService;

/// <summary>The commands, each in a few lines; what they do is the library's.</summary>
internal static class FleetCommands
{
    public static RootCommand Root()
    {
        var root = new RootCommand(
            """
            Migrates the shared schema, then every customer's, and exits; the other commands look, repeat or take back.
            Exit codes: 0 done, 1 customers failed (or verify found differences), 2 the database or the shared schema failed, 3 halted (too many of a ring failed, or by the command halt), 4 the build's migrations can't be applied to customers, 64 wrong arguments, 130 cancelled.
            """)
        {
            Migrate(), Status(), Plan(), Script(), Retry(), Verify(), Down(), Halt(), MoveToRing(),
            CreateCommand.Create(), Demo(),
        };
        // Without a command it migrates.
        Fill(root, Migrate);
        return root;
    }

    private static Command Migrate() =>
        Fill(new Command("migrate", "Migrates the shared schema, then every customer's, ring after ring. The default."),
            Migrate);

    private static T Fill<T>(T command, Func<JobContext, Task<ExitCode>> action) where T : Command
    {
        Add(command, [Customer, Ring, To, .. Run]);
        return Does(command, reports: false, action);
    }

    private static async Task<ExitCode> Migrate(JobContext job) =>
        await job.Services.GetRequiredService<MigrationJob>()
            .MigrateAsync(await job.PlanAsync(), job.Display(), job.Stop, job.Abort);

    private static Command Retry() => Does(
        Add(new("retry", "Migrates the customers whose last migration failed, once what was wrong is mended."),
            [Customer, Ring, To, .. Run]), reports: false,
        async job => await job.Services.GetRequiredService<MigrationJob>()
            .RunAsync(await job.PlanAsync() with { OnlyFailed = true }, job.Display(), job.Stop, job.Abort));

    private static Command Down() => Does(
        Add(new("down",
            "Takes customers' migrations back, the newest first. This build answers those customers with 503 until " +
            "they are migrated again."), [DownTo, Customer, Ring, .. Run]),
        reports: false,
        async job => await job.Services.GetRequiredService<MigrationJob>().RunAsync(
            await job.PlanAsync(DownTo) with { Down = true }, job.Display(), job.Stop, job.Abort));

    private static Command Status() =>
        Does(
            Add(new("status",
                "Which customers are at which version, who is behind, who failed and why, and the last runs."), Report),
                    reports: true, async job =>
                {
                    var status = await job.Services.GetRequiredService<FleetReader>().StatusAsync(job.Stop);
                    Answer(job, () => status, report => StatusReport.Write(report, status));
                    return ExitCode.Done;
                });

    private static Command Plan() =>
        Does(Add(new("plan", "What migrate would run, for whom. Changes nothing."), [Customer, Ring, To, .. Report]),
            reports: true, async job =>
            {
                var (shared, unknown) = await job.Services.GetRequiredService<SharedSchema>().PendingAsync(job.Stop);
                var groups = shared.Count > 0 && !await HasLedgerAsync(job)
                    ? []
                    : await job.Services.GetRequiredService<FleetReader>().PlanAsync(await job.PlanAsync(), job.Stop);
                Answer(
                    job,
                    () => new { shared, unknown,
                        customers = groups.Select(group =>
                            new { group.Ring, group.Last, group.Steps,
                                Schemas = group.Schemas.Select(schema => schema.Value) }) },
                    report => PlanReport.Write(report, shared, unknown, groups));
                return ExitCode.Done;
            });

    private static Command Script()
    {
        var customer = new Argument<string>("customer") { Description = "Slug or schema" };
        return Does(
            Add(new("script",
                "The SQL that migrate would run for one customer, to be read or run by hand.") { customer }, [To]),
                    reports: true, async job =>
                {
                    var schemas = await job.Services.GetRequiredService<NamedCustomers>()
                        .FindAsync([job.Parsed.GetValue(customer)!], job.Stop);
                    var sql = await job.Services.GetRequiredService<FleetReader>()
                        .ScriptAsync(schemas![0], new() { To = job.Migration(job.Parsed.GetValue(To)) }, job.Stop);
                    await job.Output.Profile.Out.Writer
                        .WriteAsync(sql.Length > 0 ? sql : $"-- Nothing is pending for {schemas[0]}.\n");
                    return ExitCode.Done;
                });
    }

    private static readonly Option<bool> Mend = new("--mend")
    {
        Description = "First take the ledger from the schemas' histories, as after a restored backup",
    };

    private static Command Verify() => Does(
        Add(new("verify",
            "Compares every customer's schema with what the migrations make, its history with the ledger, and the " +
            "registry with both; says in words what differs."), [Customer, Mend, .. Report]),
        reports: true,
        async job =>
        {
            var names = job.Services.GetRequiredService<NamedCustomers>();
            var only = await names.FindAsync(job.Parsed.GetValue(Customer) ?? [], job.Stop);
            var verifier = job.Services.GetRequiredService<FleetVerifier>();
            var mended = job.Parsed.GetValue(Mend) ? await verifier.MendLedgerAsync(only, job.Stop) : [];
            var report = await verifier.VerifyAsync(
                new() { Only = only, Registered = only is null ? names.SchemasAsync : null }, job.Stop);
            Answer(
                job,
                () => new
                {
                    report.IsClean, report.Checked, seconds = report.Elapsed.TotalSeconds,
                    mended = mended.Select(schema => schema.Value),
                    drifted = report.Drifted.Select(drift => new { schema = drift.Schema.Value, drift.Differences }),
                    incomparable = report.Incomparable.Select(schema =>
                        new { schema = schema.Schema.Value, schema.Reason }), report.Strays, report.Missing,
                    unregistered = report.Unregistered.Select(schema => schema.Value),
                },
                writer =>
                {
                    foreach (var schema in mended)
                    {
                        writer.Line($"The ledger of {schema} was taken from its history.");
                    }

                    VerifyReport.Write(writer, report);
                });
            return report.IsClean ? ExitCode.Done : ExitCode.CustomersFailed;
        });

    private static Command Halt()
    {
        var reason = new Option<string>("--reason") { Description = "Why; the run's report repeats it",
            DefaultValueFactory = _ => "asked by the command halt" };
        return Does(
            Add(new("halt", "Asks the runs in progress, wherever they run, to end after the groups in hand."),
                [reason]), reports: true, async job =>
            {
                var runs = await job.Services.GetRequiredService<FleetMigrator>()
                    .HaltAsync(
                        $"{job.Parsed.GetValue(reason)} ({Environment.UserName}@{Environment.MachineName})", job.Stop);
                job.Output.WriteLine(
                    runs == 0 ? "No run is in progress." : $"Asked {runs} to halt; status shows when they have.");
                return ExitCode.Done;
            });
    }

    private static Command MoveToRing()
    {
        var number = new Argument<int>("number") { Description = "0 goes first" };
        number.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }]
                && !(int.TryParse(text, CultureInfo.InvariantCulture, out var value) && value >= 0))
            {
                result.AddError("A ring is a number from 0.");
            }
        });
        var customer = new Option<string[]>("--customer",
            "-c") { Description = "Whom, by slug or schema; may be repeated", Required = true,
                AllowMultipleArgumentsPerToken = true };
        return Does(
            Add(new("ring", "Puts customers into a ring: 0 are the canaries, 1 is everybody's.") { number },
                [customer]), reports: true, async job =>
            {
                var names = job.Services.GetRequiredService<NamedCustomers>();
                var schemas = (await names.FindAsync(job.Parsed.GetValue(customer)!, job.Stop))!;
                await names.MoveAsync(schemas, job.Parsed.GetValue(number), job.Stop);
                job.Output.WriteLine($"{string.Join(", ", schemas)}: ring {job.Parsed.GetValue(number)}.");
                return ExitCode.Done;
            });
    }

    private static Command Demo() => Does(
        Add(new("demo",
            "Adds the demo customers with their invoices: acme, globex and initech. A customer that exists " +
            "stays as it is."), []), reports: true, async job =>
        {
            var added = await job.Services.GetRequiredService<DemoCustomers>().AddAsync(job.Stop);
            job.Output.WriteLine(
                added.Count == 0
                    ? "The demo customers exist already."
                    : $"Added {string.Join(", ", added)}, with invoices.");
            return ExitCode.Done;
        });

    private static void Answer(JobContext job, Func<object> json, Action<ReportWriter> write)
    {
        var format = job.Parsed.GetValue(Json) ? ReportFormat.Json : job.Parsed.GetValue(Format);
        if (format == ReportFormat.Json)
        {
            StatusReport.WriteJson(job.Output, json());
        }
        else
        {
            write(ReportWriter.For(format, job.Output));
        }
    }

    private static async Task<bool> HasLedgerAsync(JobContext job)
    {
        await using var ask = job.Services.GetRequiredKeyedService<Npgsql.NpgsqlDataSource>(TenancyOptions.OwnerKey)
            .CreateCommand("SELECT to_regclass('tenancy.versions') IS NOT NULL");
        return await ask.ExecuteScalarAsync(job.Stop) is true;
    }

    private static Command Add(Command command, IEnumerable<Option> options)
    {
        foreach (var option in options)
        {
            command.Options.Add(option);
        }

        return command;
    }

    internal static T Does<T>(T command, bool reports, Func<JobContext, Task<ExitCode>> action) where T : Command
    {
        command.SetAction((parsed, ct) => JobHost.RunAsync(parsed, reports, action, ct));
        return command;
    }
}

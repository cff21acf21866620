using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Cli.Reports;
using Tenancy.Databases;
using Spectre.Console;
using Tenancy.Cli.Runs;

namespace Tenancy.Cli.Commands;

/// <summary>The job's commands. The library does their work.</summary>
internal sealed class FleetCommands(JobSettings settings)
{
    private readonly FleetArguments _arguments = new(settings.Noun);
    private readonly string _noun = settings.Noun;

    public RootCommand Root()
    {
        var root = new RootCommand(
            $"""
            Migrates the shared schema, then every {_noun}'s, and exits; the other commands look, repeat or take back.
            Exit codes: 0 done, 1 {_noun}s failed (or verify found differences, or doctor a number over its limit), 2 the database or the shared schema failed, 3 halted (too many of a ring failed, or by the command halt), 4 the build's migrations can't be applied to {_noun}s, 64 wrong arguments, 130 cancelled.
            """)
        {
            Migrate(), Status(), Plan(), Script(), Retry(), Verify(), Down(), Halt(), MoveToRing(),
            CheckCommand.Create(this, _noun), DoctorCommand.Create(this, _arguments, _noun),
            ListCommand.Create(this, _arguments, _noun),
            CreateCommand.Create(this, _noun), AdoptCommand.Create(this, _noun),
            CopyCommand.Create(this, _noun),
        };
        foreach (var command in new TaskCommands(this, _arguments, _noun).All()
            .Concat(LifecycleCommands.All(this, _noun)).Concat(TransferCommands.All(this, _noun))
            .Concat(RemovalCommands.All(this, _noun)).Append(MoveCommand.Create(this, _arguments, _noun)))
        {
            root.Subcommands.Add(command);
        }

        foreach (var (name, description, run) in settings.Commands)
        {
            root.Subcommands.Add(Does(new Command(name, description), reports: true, async job =>
            {
                await run(job.Services, job.Output.Profile.Out.Writer, job.Stop);
                return ExitCode.Done;
            }));
        }

        // Without a command it migrates.
        Fill(root, Migrate);
        return root;
    }

    private Command Migrate() =>
        Fill(new Command("migrate", $"Migrates the shared schema, then every {_noun}'s, ring after ring. The default."),
            Migrate);

    private T Fill<T>(T command, Func<JobContext, Task<ExitCode>> action) where T : Command
    {
        Add(command, [_arguments.Tenant, _arguments.Ring, _arguments.To, .. _arguments.Run]);
        return DoesInEach(command, reports: false, action);
    }

    private async Task<ExitCode> Migrate(JobContext job) =>
        await job.Services.GetRequiredService<MigrationJob>()
            .MigrateAsync(await job.PlanAsync(), job.Display(), job.Stop, job.Abort);

    private Command Retry() => DoesInEach(
        Add(new("retry", $"Migrates the {_noun}s whose last migration failed, once what was wrong is mended."),
            [_arguments.Tenant, _arguments.Ring, _arguments.To, .. _arguments.Run]), reports: false,
        async job => await job.Services.GetRequiredService<MigrationJob>()
            .RunAsync(await job.PlanAsync() with { OnlyFailed = true }, job.Display(), job.Stop, job.Abort));

    private Command Down() => DoesInEach(
        Add(new("down",
            $"Takes {_noun}s' migrations back, the newest first. This build answers those {_noun}s with 503 until " +
            "they are migrated again."), [_arguments.DownTo, _arguments.Tenant, _arguments.Ring, .. _arguments.Run]),
        reports: false,
        async job => await job.Services.GetRequiredService<MigrationJob>().RunAsync(
            await job.PlanAsync(_arguments.DownTo) with { Down = true }, job.Display(), job.Stop, job.Abort));

    private Command Status() =>
        DoesInEach(
            Add(new("status",
                $"Which {_noun}s are at which version, who is behind, who failed and why, and the last runs."),
                    _arguments.Report),
                    reports: true, async job =>
                {
                    var status = await job.Services.GetRequiredService<FleetReader>().StatusAsync(job.Stop);
                    Answer(job, () => status, report => StatusReport.Write(report, status));
                    return ExitCode.Done;
                });

    private Command Plan() =>
        DoesInEach(
            Add(new("plan", "What migrate would run, for whom. Changes nothing."),
                [_arguments.Tenant, _arguments.Ring, _arguments.To, .. _arguments.Report]),
            reports: true, async job =>
            {
                var (shared, unknown) = await job.Services.GetRequiredService<SharedMigrations>()
                    .PendingAsync(job.Stop);
                var hasLedger = shared.Count == 0 || await HasLedgerAsync(job);
                var groups = hasLedger
                    ? await job.Services.GetRequiredService<FleetReader>().PlanAsync(await job.PlanAsync(), job.Stop)
                    : [];
                // What is unknown is said, too: only a login that sees all sessions knows that nothing is in the way.
                var blockers = (hasLedger
                    ? await job.Services.GetRequiredService<TenancyDoctor>().BlockersAsync(job.Stop)
                    : []).Where(finding => finding.Verdict != DoctorVerdict.Ok).ToList();
                Answer(
                    job,
                    () => new Dictionary<string, object>
                    {
                        ["shared"] = shared,
                        ["unknown"] = unknown,
                        ["blockers"] = blockers,
                        [$"{_noun}s"] = groups.Select(group => new
                        {
                            group.Ring, group.Last, group.Steps,
                            Schemas = group.Schemas.Select(schema => schema.Value),
                        }),
                    },
                    report =>
                    {
                        PlanReport.Write(report, _noun, shared, unknown, groups);
                        blockers.ForEach(finding => DoctorText.Write(report, finding));
                    });
                return ExitCode.Done;
            });

    private Command Script()
    {
        var customer = new Argument<string>(_noun) { Description = "Slug or schema" };
        return Does(
            Add(new("script",
                $"The SQL that migrate would run for one {_noun}, to be read or run by hand.") { customer },
                [_arguments.To]),
                    reports: true, async job =>
                {
                    var name = job.Parsed.GetValue(customer)!;
                    var schemas = await job.Services.GetRequiredService<NamedTenants>().FindAsync([name], job.Stop);
                    var sql = await (await HolderAsync(job, name)).GetRequiredService<FleetReader>()
                        .ScriptAsync(
                            schemas![0], new() { To = job.Migration(job.Parsed.GetValue(_arguments.To)) }, job.Stop);
                    await job.Output.Profile.Out.Writer
                        .WriteAsync(sql.Length > 0 ? sql : $"-- Nothing is pending for {schemas[0]}.\n");
                    return ExitCode.Done;
                });
    }

    private static readonly Option<bool> Mend = new("--mend")
    {
        Description = "First take the ledger from the schemas' histories, as after a restored backup, and bring " +
            "tables that Citus left on the coordinator to their node",
    };

    private Command Verify() => DoesInEach(
        Add(new("verify",
            $"Compares every {_noun}'s schema with what the migrations make, its history with the ledger, and the " +
            "registry with both; says in words what differs."), [_arguments.Tenant, Mend, .. _arguments.Report]),
        reports: true,
        async job =>
        {
            var names = job.Services.GetRequiredService<NamedTenants>();
            var only = await names.FindHereAsync(job.Parsed.GetValue(_arguments.Tenant) ?? [], job.Stop);
            var verifier = job.Services.GetRequiredService<FleetVerifier>();
            var mended = job.Parsed.GetValue(Mend) ? await verifier.MendLedgerAsync(only, job.Stop) : [];
            var brought = job.Parsed.GetValue(Mend) ? await verifier.MendPlacementAsync(only, job.Stop) : [];
            var report = await verifier.VerifyAsync(
                new() { Only = only, Registered = only is null ? names.SchemasAsync : null }, job.Stop);
            Answer(
                job,
                () => new
                {
                    report.IsClean, report.Checked, seconds = report.Elapsed.TotalSeconds,
                    mended = mended.Select(schema => schema.Value),
                    placed = brought.Select(one => new { schema = one.Schema.Value, one.Tables, one.Problem }),
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

                    foreach (var one in brought)
                    {
                        writer.Line($"{one}");
                    }

                    VerifyReport.Write(writer, _noun, report);
                });
            return report.IsClean ? ExitCode.Done : ExitCode.TenantsFailed;
        });

    private Command Halt()
    {
        var reason = new Option<string>("--reason") { Description = "Why; the run's report repeats it",
            DefaultValueFactory = _ => "asked by the command halt" };
        return DoesInEach(
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

    private Command MoveToRing()
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
        var customer = new Option<string[]>($"--{_noun}",
            $"-{_noun[0]}") { Description = "Whom, by slug or schema; may be repeated", Required = true,
                AllowMultipleArgumentsPerToken = true };
        return Does(
            Add(new("ring", $"Puts {_noun}s into a ring: 0 are the canaries, 1 is everybody's.") { number },
                [customer]), reports: true, async job =>
            {
                var schemas = (await job.Services.GetRequiredService<NamedTenants>()
                    .FindAsync(job.Parsed.GetValue(customer)!, job.Stop))!;
                await EachDatabase.RunAsync(job, reports: true, isolate: false, async each =>
                {
                    var names = each.Services.GetRequiredService<NamedTenants>();
                    if (await names.FindHereAsync(job.Parsed.GetValue(customer)!, job.Stop) is { Count: > 0 } here)
                    {
                        await names.MoveAsync(here, job.Parsed.GetValue(number), job.Stop);
                    }

                    return ExitCode.Done;
                });
                job.Output.WriteLine($"{string.Join(", ", schemas)}: ring {job.Parsed.GetValue(number)}.");
                return ExitCode.Done;
            });
    }

    internal void Answer(JobContext job, Func<object> json, Action<ReportWriter> write)
    {
        var format = job.Parsed.GetValue(_arguments.Json) ? ReportFormat.Json : job.Parsed.GetValue(_arguments.Format);
        if (format == ReportFormat.Json && job.Answers is { } answers)
        {
            answers.Add(new { database = job.Database, answer = json() });
        }
        else if (format == ReportFormat.Json)
        {
            StatusReport.WriteJson(job.Output, json());
        }
        else
        {
            var report = ReportWriter.For(format, job.Output);
            if (job.Answers is not null)
            {
                report.Line(job.Database is { } name ? $"The database '{name}':" : "The first database:");
            }

            write(report);
        }
    }

    /// <summary>The services of the database that has a tenant.</summary>
    private static async Task<IServiceProvider> HolderAsync(JobContext job, string name) =>
        (await job.Services.GetRequiredService<ITenantRegistry>().FindAsync(name, job.Stop))?.Tenant
            is { Database: not null } tenant
            ? job.Services.GetRequiredService<TenantDatabases>().Of(tenant)
            : job.Services;

    private static async Task<bool> HasLedgerAsync(JobContext job)
    {
        await using var ask = job.Services.GetRequiredKeyedService<Npgsql.NpgsqlDataSource>(TenancyOptions.OwnerKey)
            .CreateCommand("SELECT to_regclass('tenancy.versions') IS NOT NULL");
        return await ask.ExecuteScalarAsync(job.Stop) is true;
    }

    internal static Command Add(Command command, IEnumerable<Option> options)
    {
        foreach (var option in options)
        {
            command.Options.Add(option);
        }

        return command;
    }

    /// <summary>The same in each database of tenants.</summary>
    internal T DoesInEach<T>(T command, bool reports, Func<JobContext, Task<ExitCode>> action) where T : Command =>
        Does(command, reports, job => EachDatabase.RunAsync(
            job, reports, FleetArguments.IsIsolated(job.Parsed), action));

    internal T Does<T>(T command, bool reports, Func<JobContext, Task<ExitCode>> action) where T : Command
    {
        command.SetAction((parsed, ct) => JobHost.RunAsync(settings, _arguments, parsed, reports, action, ct));
        return command;
    }
}

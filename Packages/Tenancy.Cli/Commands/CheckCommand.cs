using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Spectre.Console;

namespace Tenancy.Cli.Commands;

/// <summary>The server that the tenants will be on.</summary>
internal enum Engine
{
    Postgres,
    Citus,
}

/// <summary>Says what is wrong with the build. Asks no database.</summary>
internal static class CheckCommand
{
    public static Command Create(FleetCommands commands, string noun)
    {
        var engine = new Option<Engine>("--engine")
        {
            Description = $"citus: also what Citus refuses in a {noun}'s schema", HelpName = "postgres|citus",
            DefaultValueFactory = _ => Engine.Postgres,
        };
        var triggers = new Option<bool>("--unsafe-triggers")
        {
            Description = "With --engine citus: the database has citus.enable_unsafe_triggers on",
        };
        return commands.Does(
            new Command(
                "check",
                $"Says what keeps this build from serving {noun}s: models, options and migrations. Asks no database.")
            {
                engine, triggers,
            },
            reports: true, job =>
            {
                var migrations = job.Services.GetRequiredService<CompiledMigrations>();
                var problems = job.Parsed.GetValue(engine) == Engine.Citus
                    ? [.. migrations.Problems(), .. migrations.CitusProblems(job.Parsed.GetValue(triggers))]
                    : migrations.Problems();
                foreach (var problem in problems)
                {
                    job.Output.WriteLine(problem);
                }

                job.Output.WriteLine(problems.Count switch
                {
                    0 => "Nothing is wrong with this build.",
                    1 => "1 problem.",
                    var many => string.Create(CultureInfo.InvariantCulture, $"{many} problems."),
                });
                return Task.FromResult(problems.Count == 0 ? ExitCode.Done : ExitCode.BuildFailed);
            });
    }
}

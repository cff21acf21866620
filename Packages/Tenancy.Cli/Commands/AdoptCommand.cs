using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Spectre.Console;
using Tenancy.Registries;

namespace Tenancy.Cli.Commands;

/// <summary>Makes a tenant of the tables of an application that had none.</summary>
internal static class AdoptCommand
{
    public static Command Create(FleetCommands commands, string noun)
    {
        var slug = new Argument<string>("slug") { Description = "The name in addresses: " + TenantSlug.Rule };
        var from = new Option<string>("--from")
        {
            Description = $"The schema whose tables become the {noun}'s; one of its own is renamed, out of public they " +
                "are moved",
            HelpName = "schema", Required = true,
        };
        var history = new Option<string>("--history")
        {
            Description = "The schema of EF's history table. Default: that of --from, else public", HelpName = "schema",
        };
        var baseline = new Option<string>("--baseline")
        {
            Description = "The last migration whose tables are there, where no history says it", HelpName = "migration",
        };
        var name = new Option<string>("--name") { Description = "For people. Default: the slug" };
        var accept = new Option<bool>("--accept-differences")
        {
            Description = "Adopt what differs from what the migrations make, too",
        };
        var database = CreateCommand.DatabaseOfTables(noun);
        var dry = new Option<bool>("--dry-run") { Description = "Only say what would be done" };
        var command = new Command(
            "adopt", $"Makes a {noun} of the tables of an application that had none: renames or moves them, and " +
            "compares them with what the migrations make, in one transaction.")
        {
            slug, from, history, baseline, name, accept, database, dry,
        };
        return commands.Does(command, reports: true, async job =>
        {
            var request = new AdoptionRequest(job.Parsed.GetValue(slug)!, job.Parsed.GetValue(from)!)
            {
                History = job.Parsed.GetValue(history),
                Baseline = job.Parsed.GetValue(baseline),
                Name = job.Parsed.GetValue(name),
                AcceptDifferences = job.Parsed.GetValue(accept),
            };
            await using var scope = CreateCommand.In(job, job.Parsed.GetValue(database));
            var services = scope.ServiceProvider;
            var adoption = services.GetRequiredService<TenantAdoption>();
            var isDry = job.Parsed.GetValue(dry);
            try
            {
                await TenancyTables.EnsureAsync(
                    services.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.OwnerKey),
                    services.GetService<RegistryKind>(), services.GetRequiredService<TenancyOptions>(), job.Stop);
                Write(job.Output, isDry
                    ? await adoption.PlanAsync(request, job.Abort)
                    : await adoption.AdoptAsync(request, job.Abort), isDry);
                return ExitCode.Done;
            }
            catch (Exception e)
                when (e is AdoptionException or TenantSlugTakenException or FormatException or ArgumentException)
            {
                throw new UsageException(e.Message.Split(" (Parameter", 2)[0], e);
            }
        });
    }

    private static void Write(IAnsiConsole output, AdoptionPlan plan, bool isDry)
    {
        foreach (var step in plan.Steps)
        {
            output.WriteLine(step);
        }

        foreach (var one in plan.Stays)
        {
            output.WriteLine($"Stays: {one}.");
        }

        foreach (var difference in plan.Differences)
        {
            output.WriteLine($"Differs: {difference}.");
        }

        if (plan.Pending.Count > 0)
        {
            output.WriteLine($"Pending, for migrate: {string.Join(", ", plan.Pending)}.");
        }

        output.WriteLine(isDry
            ? $"Nothing was changed. {plan.Tenant.Slug} would have the schema {plan.Tenant.Schema}."
            : $"Adopted {plan.Tenant.Slug}, schema {plan.Tenant.Schema}.");
    }
}

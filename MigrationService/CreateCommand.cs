using System.CommandLine;
using Data.Customers;
using Microsoft.Extensions.DependencyInjection;
using Spectre.Console;

namespace MigrationService;

/// <summary>Creates a customer where the API has no login that may make schemas.</summary>
internal static class CreateCommand
{
    public static Command Create()
    {
        var slug = new Argument<string>("slug") { Description = "In addresses and in the header X-Customer: " +
            CustomerSlug.Rule };
        var name = new Option<string>("--name") { Description = "For people. Default: the slug" };
        var command = new Command(
            "create", "Creates a customer: its schema exists, migrated, when this ends.") { slug, name };
        return FleetCommands.Does(command, reports: true, async job =>
        {
            var wanted = job.Parsed.GetValue(slug)!;
            try
            {
                var customer = await job.Services.GetRequiredService<CustomerRegistry>()
                    .CreateAsync(wanted, job.Parsed.GetValue(name) ?? wanted, ct: job.Stop);
                job.Output.WriteLine($"Created {customer.Slug}, schema {customer.Schema}.");
                return ExitCode.Done;
            }
            catch (Exception e) when (e is SlugTakenException or FormatException)
            {
                throw new UsageException(e.Message, e);
            }
        });
    }
}

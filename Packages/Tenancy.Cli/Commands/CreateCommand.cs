using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Spectre.Console;
using Tenancy.Databases;

namespace Tenancy.Cli.Commands;

/// <summary>Creates a tenant where the application that serves has no login that may make schemas.</summary>
internal static class CreateCommand
{
    public static Command Create(FleetCommands commands, string noun)
    {
        var slug = new Argument<string>("slug") { Description = "The name in addresses: " + TenantSlug.Rule };
        var name = new Option<string>("--name") { Description = "For people. Default: the slug" };
        var missing = new Option<bool>("--if-missing")
        {
            Description = $"Do nothing where a {noun} has the slug: for scripts that are run again",
        };
        var database = Database(noun);
        var command = new Command("create", $"Creates a {noun}: its schema exists, migrated, when this ends.")
        {
            slug, name, missing, database,
        };
        return commands.Does(command, reports: true, async job =>
        {
            try
            {
                var tenant = await job.Services.GetRequiredService<Tenants>().CreateInAsync(
                    job.Parsed.GetValue(database), job.Parsed.GetValue(slug)!, job.Parsed.GetValue(name), ct: job.Stop);
                job.Output.WriteLine($"Created {tenant.Slug}, schema {tenant.Schema}.");
                return ExitCode.Done;
            }
            catch (TenantSlugTakenException) when (job.Parsed.GetValue(missing))
            {
                job.Output.WriteLine($"{job.Parsed.GetValue(slug)} exists.");
                return ExitCode.Done;
            }
            catch (Exception e) when (e is TenantSlugTakenException or FormatException or ArgumentException)
            {
                throw new UsageException(e.Message.Split(" (Parameter", 2)[0], e);
            }
        });
    }

    /// <summary>Where a new tenant is.</summary>
    internal static Option<string?> Database(string noun) => new("--database")
    {
        Description = $"The database that the {noun} is made in. Default: the first one", HelpName = "name",
        CustomParser = result => result.Tokens is [{ Value: not TenancyOptions.FirstDatabase and var name }]
            ? name
            : null,
    };

    /// <summary>Where tables are of which tenants are made.</summary>
    internal static Option<string?> DatabaseOfTables(string noun)
    {
        var option = Database(noun);
        option.Description = $"The database that has the tables, and gets the {noun}. Default: the first one";
        return option;
    }

    /// <summary>A scope of the services of a database.</summary>
    /// <param name="job">The first one's.</param>
    /// <param name="database">Null for the first one.</param>
    /// <exception cref="UsageException">There is no such database.</exception>
    internal static AsyncServiceScope In(JobContext job, string? database)
    {
        try
        {
            return database is null
                ? job.Services.CreateAsyncScope()
                : job.Services.GetRequiredService<TenantDatabases>().Named(database).NewScope();
        }
        catch (ArgumentException e)
        {
            throw new UsageException(e.Message.Split(" (Parameter", 2)[0], e);
        }
    }
}

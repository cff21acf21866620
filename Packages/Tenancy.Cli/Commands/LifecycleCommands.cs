using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Spectre.Console;

namespace Tenancy.Cli.Commands;

/// <summary>Suspends, resumes, archives and renames a tenant. Each may be repeated.</summary>
internal static class LifecycleCommands
{
    public static IEnumerable<Command> All(FleetCommands commands, string noun) =>
    [
        Status(commands, noun, "suspend", $"Stops serving a {noun}.", TenantStatus.Suspended, "is suspended"),
        Status(commands, noun, "resume", $"Serves a {noun} again.", TenantStatus.Active, "is served"),
        Status(commands, noun, "archive", $"Stops serving a {noun}, and keeps its schema and its slug.",
            TenantStatus.Archived, "is archived"),
        Rename(commands, noun),
    ];

    private static Command Status(
        FleetCommands commands, string noun, string verb, string description, TenantStatus status, string becomes)
    {
        var slug = Slug(noun);
        return commands.Does(new Command(verb, description) { slug }, reports: true, async job =>
        {
            var wanted = job.Parsed.GetValue(slug)!;
            try
            {
                if (!await job.Services.GetRequiredService<Tenants>().SetStatusAsync(wanted, status, job.Stop))
                {
                    throw Unknown(noun, wanted);
                }
            }
            catch (TenantInUseException e)
            {
                job.Output.WriteLine(e.Message);
                return ExitCode.TenantsFailed;
            }

            job.Output.WriteLine($"{wanted} {becomes}.");
            return ExitCode.Done;
        });
    }

    private static Command Rename(FleetCommands commands, string noun)
    {
        var slug = Slug(noun);
        var to = new Option<string>("--to") { Description = "The new slug: " + TenantSlug.Rule };
        var name = new Option<string>("--name") { Description = "The new name, for people" };
        return commands.Does(
            new Command("rename", $"Changes a {noun}'s slug or name. Its schema stays.") { slug, to, name },
            reports: true, async job =>
            {
                var (wanted, newSlug, newName) =
                    (job.Parsed.GetValue(slug)!, job.Parsed.GetValue(to), job.Parsed.GetValue(name));
                if (newSlug is null && newName is null)
                {
                    throw new UsageException("Say what changes: --to SLUG, --name NAME, or both.");
                }

                try
                {
                    var tenant = await job.Services.GetRequiredService<Tenants>()
                        .RenameAsync(wanted, newSlug, newName, job.Stop) ?? throw Unknown(noun, wanted);
                    job.Output.WriteLine($"{wanted} is {tenant.Slug}{(newName is null ? "" : $", {newName}")}.");
                    return ExitCode.Done;
                }
                catch (Exception e) when (e is TenantSlugTakenException or FormatException)
                {
                    throw new UsageException(e.Message, e);
                }
            });
    }

    private static Argument<string> Slug(string noun) => new("slug") { Description = $"The {noun}'s slug" };

    private static UsageException Unknown(string noun, string slug) => new($"No {noun} has the slug '{slug}'.");
}

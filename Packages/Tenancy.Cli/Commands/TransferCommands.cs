using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Spectre.Console;

namespace Tenancy.Cli.Commands;

/// <summary>Exports a tenant, imports one from a file, and clones one.</summary>
internal static class TransferCommands
{
    public static IEnumerable<Command> All(FleetCommands commands, string noun) =>
        [Export(commands, noun), Import(commands, noun), Clone(commands, noun)];

    private static Command Export(FleetCommands commands, string noun)
    {
        var slug = new Argument<string>("slug") { Description = $"The {noun}'s slug" };
        var file = new Argument<string>("file") { Description = "The file to be made, e.g. acme.zip" };
        return commands.Does(
            new Command("export", $"Writes a {noun}'s rows into a file, all from one snapshot.") { slug, file },
            reports: true, async job =>
            {
                var (wanted, path) = (job.Parsed.GetValue(slug)!, Path.GetFullPath(job.Parsed.GetValue(file)!));
                var rows = await TellAsync(noun, async () =>
                {
                    // Nobody takes an interrupted export for one: the name comes when all is written.
                    var partial = $"{path}.partial";
                    if (File.Exists(path))
                    {
                        throw new UsageException($"'{path}' exists: name another file, or remove it.");
                    }

                    try
                    {
                        IReadOnlyDictionary<string, long> written;
                        await using (var stream = new FileStream(partial, Private()))
                        {
                            written = await job.Services.GetRequiredService<TenantTransfer>()
                                .ExportAsync(wanted, stream, job.Stop);
                        }

                        File.Move(partial, path);
                        return written;
                    }
                    finally
                    {
                        File.Delete(partial);
                    }
                });
                job.Output.WriteLine($"Exported {wanted}, {Count(rows)}, into {path}.");
                return ExitCode.Done;
            });
    }

    private static Command Import(FleetCommands commands, string noun)
    {
        var file = new Argument<string>("file") { Description = "An export's file" };
        var slug = new Argument<string>("slug") { Description = $"The new {noun}'s slug: " + TenantSlug.Rule };
        var name = new Option<string>("--name") { Description = "For people. Default: the slug" };
        var database = CreateCommand.Database(noun);
        return commands.Does(
            new Command("import", $"Makes a {noun} from an export's file, in a schema of its own.")
            {
                file, slug, name, database,
            },
            reports: true, async job => Report(job, "Imported", await TellAsync(noun, async () =>
            {
                await using var stream = new FileStream(
                    job.Parsed.GetValue(file)!, FileMode.Open, FileAccess.Read, FileShare.Read);
                return await job.Services.GetRequiredService<TenantTransfer>().ImportInAsync(
                    job.Parsed.GetValue(database), stream, job.Parsed.GetValue(slug)!, job.Parsed.GetValue(name),
                    ct: job.Stop);
            })));
    }

    private static Command Clone(FleetCommands commands, string noun)
    {
        var slug = new Argument<string>("slug") { Description = $"The {noun}'s slug" };
        var to = new Argument<string>("new-slug") { Description = $"The new {noun}'s slug: " + TenantSlug.Rule };
        var name = new Option<string>("--name") { Description = "For people. Default: the new slug" };
        var database = new Option<string?>("--database")
        {
            Description = $"Another database than the {noun}'s, for the new one; its rows go through a temporary file",
            HelpName = "name",
        };
        return commands.Does(
            new Command("clone", $"Makes a {noun} with the rows of another one, e.g. as a sandbox.")
            {
                slug, to, name, database,
            },
            reports: true, async job => Report(job, "Cloned", await TellAsync(noun, () =>
            {
                var (transfer, into) =
                    (job.Services.GetRequiredService<TenantTransfer>(), job.Parsed.GetValue(database));
                var (from, other) = (job.Parsed.GetValue(slug)!, job.Parsed.GetValue(to)!);
                return into is null
                    ? transfer.CloneAsync(from, other, job.Parsed.GetValue(name), job.Stop)
                    : transfer.CloneInAsync(into, from, other, job.Parsed.GetValue(name), job.Stop);
            })));
    }

    /// <summary>It has all that the tenant stores: for nobody else.</summary>
    private static FileStreamOptions Private()
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return options;
    }

    private static ExitCode Report(JobContext job, string done, TransferredTenant made)
    {
        job.Output.WriteLine($"{done} {made.Tenant.Slug}, {Count(made.Rows)}, schema {made.Tenant.Schema}.");
        if (made.MigrationError is null)
        {
            return ExitCode.Done;
        }

        job.Output.WriteLine(
            $"It isn't served: it has an older version, and its migration failed. {made.MigrationError}");
        return ExitCode.TenantsFailed;
    }

    private static string Count(IReadOnlyDictionary<string, long> rows) => string.Create(
        CultureInfo.InvariantCulture, $"{rows.Values.Sum()} rows of {rows.Count} tables");

    /// <summary>Turns what the library refuses into the command's words.</summary>
    private static async Task<T> TellAsync<T>(string noun, Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (TenantUnavailableException e)
        {
            throw new UsageException($"No {noun} has the slug '{e.Slug}'.", e);
        }
        catch (Exception e) when (e is TenantTransferException or TenantSlugTakenException or FormatException
            or ArgumentException or IOException or UnauthorizedAccessException)
        {
            throw new UsageException(e.Message.Split(" (Parameter", 2)[0], e);
        }
    }
}

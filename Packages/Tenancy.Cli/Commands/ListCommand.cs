using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Cli.Reports;

namespace Tenancy.Cli.Commands;

/// <summary>Lists tenants with their schemas' versions, errors and sizes.</summary>
internal static class ListCommand
{
    public static Command Create(FleetCommands commands, FleetArguments arguments, string noun)
    {
        var search = new Option<string>("--search") { Description = "A part of the slug or of the name" };
        var status = new Option<TenantStatus?>("--status") { Description = "Only those of that status" };
        var condition = new Option<TenantCondition?>("--condition")
        {
            Description = "failed: the last migration did; behind: a migration is missing; dropping: to be removed",
        };
        var version = new Option<string>("--version-of")
        {
            Description = "Only those of that version: its short name, or its last migration's id",
        };
        var sort = new Option<TenantSort>("--sort") { Description = "The order" };
        var descending = new Option<bool>("--descending") { Description = "From the other end" };
        var after = new Option<string>("--after") { Description = "The place at which the last page ended" };
        var limit = new Option<int>("--limit")
        {
            Description = "At most so many, 1 to 1000", DefaultValueFactory = _ => 100,
        };
        limit.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }]
                && !(int.TryParse(text, CultureInfo.InvariantCulture, out var value) && value is >= 1 and <= 1000))
            {
                result.AddError("--limit has to be from 1 to 1000.");
            }
        });
        return commands.Does(
            FleetCommands.Add(
                new("list", $"Lists {noun}s with the version, the last error and the size of their schemas."),
                [search, status, condition, arguments.Ring, version, sort, descending, after, limit,
                    .. arguments.Report]),
            reports: true, async job =>
            {
                var query = new TenantQuery
                {
                    Search = job.Parsed.GetValue(search), Status = job.Parsed.GetValue(status),
                    Condition = job.Parsed.GetValue(condition), Ring = job.Parsed.GetValue(arguments.Ring),
                    Version = job.Parsed.GetValue(version), Sort = job.Parsed.GetValue(sort),
                    Descending = job.Parsed.GetValue(descending), After = job.Parsed.GetValue(after),
                    Limit = job.Parsed.GetValue(limit),
                };
                try
                {
                    var page = await job.Services.GetRequiredService<Tenants>().SearchAsync(query, job.Stop);
                    commands.Answer(job, () => Json(page), report => Write(report, noun, page));
                    return ExitCode.Done;
                }
                catch (FormatException e)
                {
                    throw new UsageException($"--after: {e.Message}", e);
                }
            });
    }

    private static readonly string[] None = [];

    private static object Json(TenantPage page) => new
    {
        page.Total, page.Next,
        items = page.Items.Select(item => new
        {
            item.Entry.Tenant.Id, item.Entry.Tenant.Slug, item.Entry.Name, schema = item.Entry.Tenant.Schema.Value,
            item.Entry.Status, item.Availability, item.State, item.Ring, item.Version, item.LastMigration,
            item.Entry.CreatedAt, item.MigratedAt, item.Attempts, item.LastError, item.FailedAt, item.DropAfter,
            item.Bytes, item.Entry.Tenant.Database,
        }),
    };

    private static void Write(ReportWriter report, string noun, TenantPage page)
    {
        var elsewhere = page.Items.Any(item => item.Entry.Tenant.Database is not null);
        report.Summary($"{page.Items.Count} of {page.Total} {noun}s.");
        report.Table(
            $"{char.ToUpperInvariant(noun[0])}{noun[1..]}s",
            ["slug", "name", "status", "ring", "last migration", "migrated", "size",
                .. elsewhere ? ["database"] : None, "error"],
            page.Items.Select(item => (string[])
            [
                item.Entry.Tenant.Slug, item.Entry.Name, Status(item), StatusReport.Number(item.Ring),
                item.LastMigration ?? "", item.MigratedAt?.ToString("u", CultureInfo.InvariantCulture) ?? "",
                Size(item.Bytes), .. elsewhere ? [item.Entry.Tenant.Database ?? ""] : None, item.LastError ?? "",
            ]));
        if (page.Next is not null)
        {
            report.Line($"For the next page: --after {page.Next}");
        }
    }

    private static string Status(TenantDetails item) =>
        item.DropAfter is { } time
            ? string.Create(CultureInfo.InvariantCulture, $"to be removed after {time:u}")
            : item.Availability.ToString().ToLowerInvariant();

    private static string Size(long bytes) =>
        string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.0} MB");
}

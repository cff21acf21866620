using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Spectre.Console;
using Tenancy.Registries;

namespace Tenancy.Cli.Commands;

/// <summary>Makes tenants of rows that are in shared tables, apart by a column.</summary>
internal static class CopyCommand
{
    public static Command Create(FleetCommands commands, string noun)
    {
        var from = new Option<string>("--from")
        {
            Description = "The schema of the shared tables", HelpName = "schema", DefaultValueFactory = _ => "public",
        };
        var column = new Option<string>("--column")
        {
            Description = $"The column that says which {noun}'s a row is", HelpName = "name", Required = true,
        };
        var slugs = new Option<string>("--slugs")
        {
            Description = $"A query of two columns: each {noun}'s value of that column, and its slug", HelpName = "sql",
            Required = true,
        };
        var where = CreateCommand.DatabaseOfTables(noun);
        var dry = new Option<bool>("--dry-run") { Description = "Do it, say it and take it back" };
        var command = new Command(
            "copy", $"Makes {noun}s of rows in shared tables: a schema for each, and a copy of its rows. Run again, " +
            "it goes on where it was interrupted.")
        {
            from, column, slugs, where, dry,
        };
        return commands.Does(command, reports: true, async job =>
        {
            await using var scope = CreateCommand.In(job, job.Parsed.GetValue(where));
            var services = scope.ServiceProvider;
            var database = services.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.OwnerKey);
            await TenancyTables.EnsureAsync(database, services.GetService<RegistryKind>(),
                services.GetRequiredService<TenancyOptions>(), job.Stop);
            var request = new CopyRequest(job.Parsed.GetValue(from)!, job.Parsed.GetValue(column)!,
                await SlugsAsync(database, job.Parsed.GetValue(slugs)!, job.Stop))
            {
                DryRun = job.Parsed.GetValue(dry),
            };
            try
            {
                var report = await services.GetRequiredService<TenantCopy>()
                    .CopyAsync(request, new Lines(job.Output), job.Stop);
                Write(job.Output, report, request.DryRun, noun);
                return ExitCode.Done;
            }
            catch (Exception e) when (e is AdoptionException or FormatException or TenantSlugTakenException)
            {
                throw new UsageException(e.Message, e);
            }
        });
    }

    private static async Task<IReadOnlyDictionary<string, string>> SlugsAsync(
        NpgsqlDataSource database, string sql, CancellationToken ct)
    {
        var slugs = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            await using var ask = database.CreateCommand(
                $"SELECT q.value::text, q.slug::text FROM ({sql}) AS q (value, slug)");
            await using var rows = await ask.ExecuteReaderAsync(ct);
            while (await rows.ReadAsync(ct))
            {
                if (await rows.IsDBNullAsync(0, ct) || await rows.IsDBNullAsync(1, ct)
                    || !slugs.TryAdd(rows.GetString(0), rows.GetString(1)))
                {
                    throw new UsageException("--slugs gives a null, or a value twice.");
                }
            }
        }
        catch (PostgresException e)
        {
            throw new UsageException($"--slugs isn't a query of two columns, value and slug: {e.MessageText}", e);
        }

        return slugs.Count > 0 ? slugs : throw new UsageException("--slugs gives no row.");
    }

    private static void Write(IAnsiConsole output, CopyReport report, bool isDry, string noun)
    {
        foreach (var (table, rows) in report.Left)
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"Left: {rows} rows of {table} are nobody's by the given slugs."));
        }

        var there = report.Skipped.Count == 0 ? "" : string.Create(
            CultureInfo.InvariantCulture, $" {report.Skipped.Count} were there.");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{(isDry ? "Nothing was changed. Would copy" : "Copied")} {report.Copied.Count} {noun}s.{there}"));
    }

    private sealed class Lines(IAnsiConsole output) : IProgress<CopiedTenant>
    {
        public void Report(CopiedTenant value) => output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{value.Tenant.Slug}: {value.Rows.Values.Sum()} rows of {value.Rows.Count} tables."));
    }
}

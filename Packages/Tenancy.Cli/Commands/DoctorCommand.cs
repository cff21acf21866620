using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Cli.Reports;

namespace Tenancy.Cli.Commands;

/// <summary>Says which numbers of the database are over their limit, why that hurts, and what to do.</summary>
internal static class DoctorCommand
{
    public static Command Create(FleetCommands commands, FleetArguments arguments, string noun) => commands.DoesInEach(
        FleetCommands.Add(new("doctor",
            $"Holds sizes, lost schemas, vacuum, locks, memory and sessions against their limits, for any number of " +
            $"{noun}s. Changes nothing. Exits with 1 when a number is over its limit."), arguments.Report), reports: true,
        async job =>
        {
            var report = await job.Services.GetRequiredService<TenancyDoctor>().ExamineAsync(job.Stop);
            commands.Answer(job, () => report, writer => DoctorText.Write(writer, report));
            return report.Over == 0 ? ExitCode.Done : ExitCode.TenantsFailed;
        });
}

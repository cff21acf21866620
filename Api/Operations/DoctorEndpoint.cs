using Api.Access;
using Tenancy;
using Tenancy.AspNetCore;

namespace Api.Operations;

/// <summary>For operators: which numbers of the database are over their limit, and what to do.</summary>
internal static class DoctorEndpoint
{
    /// <summary>As old as the background's own examination may be.</summary>
    private static readonly TimeSpan Usual = TimeSpan.FromMinutes(5);

    public static void MapDoctor(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/doctor", (TenancyDoctor doctor, CancellationToken ct, bool fresh = false) =>
                doctor.ReportAsync(fresh ? TimeSpan.Zero : Usual, ct))
            .WithName("Examine").WithTags("Fleet").RequireAuthorization(Caller.Operators).IgnoreTenant()
            .WithSummary("The database's numbers beside their limits, five minutes old at most; with fresh as of now.");
}

using System.ComponentModel.DataAnnotations;
using Api.Access;
using Microsoft.AspNetCore.Http.HttpResults;
using Tenancy;
using Tenancy.AspNetCore;

namespace Api.Operations;

/// <summary>For operators: which numbers of the databases are over their limit, and what to do.</summary>
internal static class DoctorEndpoint
{
    /// <summary>As old as the background's own examination may be.</summary>
    private static readonly TimeSpan Usual = TimeSpan.FromMinutes(5);

    public static void MapDoctor(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/doctor", Examine)
            .WithName("Examine").WithTags("Fleet").RequireAuthorization(Caller.Operators).IgnoreTenant()
            .WithSummary("Each database's numbers beside their limits, 5 minutes old at most; with fresh as of now.");

    private static async Task<Results<Ok<DoctorReport>, ValidationProblem>> Examine(
        TenancyDoctor doctor, TenancyOptions tenancy, CancellationToken ct, bool fresh = false,
        [RegularExpression(ChosenDatabase.Pattern, ErrorMessage = ChosenDatabase.Rule)] string? database = null) =>
            tenancy.RefuseUnknown(database) is { } refused
                ? refused
                : TypedResults.Ok(await doctor.ReportOfAllAsync(fresh ? TimeSpan.Zero : Usual, database, ct));
}

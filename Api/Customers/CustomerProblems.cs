using Data.Customers;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Api;

/// <summary>What is wrong with a slug, the same words everywhere.</summary>
internal static class CustomerProblems
{
    public static ProblemHttpResult Unknown(string slug) => TypedResults.Problem(
        CustomerSlug.IsValid(slug) ? $"No customer has the slug '{slug}'." : "That is no slug of a customer's.",
        statusCode: 404, title: "Unknown customer.");

    public static ProblemHttpResult Taken(string slug) => TypedResults.Problem(
        $"The slug '{slug}' is taken by another customer: choose a different one.", statusCode: 409,
        title: "The slug is taken.");
}

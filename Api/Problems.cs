using System.Globalization;
using System.Text.Json;
using Api.Contract;
using Data.Customers;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Mvc;
using Npgsql;
using Tenancy;

namespace Api;

/// <summary>What went wrong, as RFC 9457 problem details. One place knows which exception is which answer.</summary>
internal static class Problems
{
    public static IServiceCollection AddProblems(this IServiceCollection services) => services
        .AddProblemDetails(options => options.CustomizeProblemDetails = context =>
        {
            context.ProblemDetails.Instance ??= context.HttpContext.Request.Path;
            ProblemTypes.Complete(context.ProblemDetails);
            if (context.ProblemDetails is HttpValidationProblemDetails invalid)
            {
                invalid.Errors = invalid.Errors.ToDictionary(error => AsInJson(error.Key), error => error.Value);
                invalid.Detail ??= Summary(invalid.Errors);
            }
        })
        .AddSingleton<DatabaseOutage>()
        .AddSingleton<SilentServer>().AddHostedService(provider => provider.GetRequiredService<SilentServer>())
        .AddExceptionHandler<KnownExceptions>();

    /// <summary>
    /// Every request but health's, which has a limit of its own, is ended when PostgreSQL stops talking: see
    /// <see cref="SilentServer"/>.
    /// </summary>
    public static void UseSilentServer(this WebApplication app) => app.UseWhen(
        context => !context.Request.Path.StartsWithSegments("/health", StringComparison.Ordinal),
        watched => watched.Use((context,
            next) => app.Services.GetRequiredService<SilentServer>().WatchAsync(context, next)));

    /// <summary>
    /// Validation names what it checked as C# does, Lines[0].Quantity; who sent JSON knows it as lines[0].quantity. A
    /// header's name has a hyphen and stays.
    /// </summary>
    private static string AsInJson(string key) => key.Contains('-') ? key :
        string.Join('.', key.Split('.').Select(JsonNamingPolicy.CamelCase.ConvertName));

    /// <summary>For who reads the detail alone: the first field that is wrong, and how many more there are.</summary>
    private static string? Summary(IDictionary<string, string[]> errors)
    {
        if (errors.FirstOrDefault() is not { Key: { } field, Value: [var words, ..] })
        {
            return null;
        }

        return (field.Length == 0 ? words : $"{field}: {words}")
            + (errors.Count == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $" And {errors.Count - 1} more."));
    }

    private sealed class KnownExceptions(
        IProblemDetailsService problems, DatabaseOutage outage, TenancyMetrics metrics) : IExceptionHandler
    {
        public ValueTask<bool> TryHandleAsync(
            HttpContext context, Exception exception, CancellationToken cancellationToken)
        {
            ProblemDetails? problem = exception switch
            {
                SlugTakenException e => new() { Status = 409, Title = "The slug is taken.", Detail = e.Message },
                BadHttpRequestException e => RequestErrors.Of(e),
                // PostgreSQL's text holds every character but this one.
                _ when Deepest(exception)
                    is PostgresException { SqlState: PostgresErrorCodes.CharacterNotInRepertoire } =>
                    new() { Status = 400, Title = "The request can't be stored.",
                        Detail = "Text can't contain the character U+0000." },
                _ when Deepest(exception) is PostgresException { SqlState: PostgresErrorCodes.QueryCanceled } =>
                    new() { Status = 503, Title = "It took too long.",
                        Detail = "The server ended a statement of this request: ask for less." },
                _ when Unavailable.Because(exception, context.Request) is { } unavailable =>
                    Unavailable503(unavailable, context.Response),
                _ => null,
            };
            if (problem is null)
            {
                // The default answer: 500, and nothing of ours in it.
                return ValueTask.FromResult(false);
            }

            context.Response.StatusCode = problem.Status!.Value;
            return problems.TryWriteAsync(
                new() { HttpContext = context, Exception = exception, ProblemDetails = problem });
        }

        private ProblemDetails Unavailable503(Unavailable unavailable, HttpResponse response)
        {
            metrics.Unavailable(unavailable.Reason);
            if (unavailable.Reason == Unavailability.Database)
            {
                outage.Note(unavailable.Cause);
            }

            response.Headers.RetryAfter = ((int)unavailable.RetryAfter.TotalSeconds)
                .ToString(CultureInfo.InvariantCulture);
            return new() { Status = 503, Title = unavailable.Title, Detail = unavailable.Detail };
        }

        private static Exception Deepest(Exception e) => e.InnerException is { } inner ? Deepest(inner) : e;
    }
}

using Microsoft.Extensions.Http.Resilience;
using Polly;
using Web.Contacts;
using Web.Customers;
using Web.Doctor;
using Web.Fleet;
using Web.Invoices;
using Web.Keys;
using Web.Operations;
using Web.Reports;

namespace Web.Api;

/// <summary>The clients of the API, found by service discovery under the name <c>api</c>.</summary>
internal static class ApiClients
{
    /// <summary>A request that may take as long as it takes: the upload of a file. Others wait some seconds.</summary>
    public static readonly HttpRequestOptionsKey<bool> TakesItsTime = new(nameof(TakesItsTime));

    private static readonly Uri Address = new("https+http://api");

    /// <param name="services">The console's.</param>
    public static IServiceCollection AddApiClients(this IServiceCollection services)
    {
        services.AddScoped<Visit>();
        services.AddScoped<RecentCustomer>();
        services.AddHttpClient<CustomersClient>(Call);
        services.AddHttpClient<FleetClient>(Call);
        services.AddHttpClient<DoctorClient>(Call);
        services.AddHttpClient<InvoicesClient>(Call);
        services.AddHttpClient<ContactsClient>(Call);
        services.AddHttpClient<KeysClient>(Call);
        services.AddHttpClient<OperationsClient>(Call);
        services.AddHttpClient<ReceivablesClient>(Call);

        // For every pipeline that the service defaults add, whatever its name.
        return services.ConfigureAll<HttpStandardResilienceOptions>(Tame);
    }

    /// <summary>Where a client asks.</summary>
    public static void Call(HttpClient http) => http.BaseAddress = Address;

    /// <summary>Someone waits in front of a screen, so few and quick attempts; and what writes runs once.</summary>
    private static void Tame(HttpStandardResilienceOptions options)
    {
        options.Retry.MaxRetryAttempts = 2;
        options.Retry.Delay = TimeSpan.FromMilliseconds(200);
        options.Retry.ShouldHandle = args => ValueTask.FromResult(IsWorthAnotherAttempt(args.Outcome));
        options.Retry.DisableForUnsafeHttpMethods();

        options.AttemptTimeout.TimeoutGenerator = args =>
            new(TakesLong(args.Context) ? TimeSpan.Zero : options.AttemptTimeout.Timeout);
        options.TotalRequestTimeout.TimeoutGenerator = args =>
            new(TakesLong(args.Context) ? TimeSpan.Zero : options.TotalRequestTimeout.Timeout);

        // All customers share one breaker: the one that is being upgraded must not open it for the others.
        options.CircuitBreaker.ShouldHandle = args => ValueTask.FromResult(IsWorthAnotherAttempt(args.Outcome));
    }

    /// <summary>Whether a request has no limit.</summary>
    private static bool TakesLong(ResilienceContext context) =>
        context.GetRequestMessage()?.Options.TryGetValue(TakesItsTime, out var takes) is true && takes;

    /// <summary>An answer that says when to come back is an answer: the page shows it and counts down.</summary>
    private static bool IsWorthAnotherAttempt(Outcome<HttpResponseMessage> outcome) =>
        outcome.Result?.Headers.RetryAfter is null && HttpClientResiliencePredicates.IsTransient(outcome);
}

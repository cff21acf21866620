using System.Net.Mime;
using System.Text;
using System.Text.Json;
using Web.Api;

namespace Web.Customers;

/// <summary>
/// Calls of one customer's side of the API. The customer is named on every call and goes with that request as a header:
/// no client remembers one.
/// </summary>
internal static class CustomerCall
{
    private const string Header = "X-Customer";

    /// <param name="http">The client.</param>
    /// <param name="visit">The page that asks; null where there is none.</param>
    /// <param name="customer">The customer's slug.</param>
    /// <param name="what">What is asked for, for telemetry.</param>
    /// <param name="request">The request, which this disposes of.</param>
    /// <param name="ct">Gives up waiting.</param>
    public static async Task<Result<T>> SendForAsync<T>(this HttpClient http, Visit? visit, string customer,
        string what, HttpRequestMessage request, CancellationToken ct) where T : class
    {
        if (!NewCustomer.IsSlug(customer))
        {
            request.Dispose();
            return CustomersClient.Unknown(customer);
        }

        request.Headers.Add(Header, customer);
        return await http.SendAsync<T>(visit, what, request, ct);
    }

    /// <summary>A write that may be sent again with the same key, and then isn't done a second time.</summary>
    public static HttpRequestMessage Repeatable(string path, string customer, object body, WriteKey key)
    {
        var json = JsonSerializer.Serialize(body, JsonSerializerOptions.Web);
        var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new StringContent(json, Encoding.UTF8, MediaTypeNames.Application.Json),
        };
        request.Headers.Add(WriteKey.Header, key.For($"{customer} {path}\n{json}"));
        return request;
    }
}

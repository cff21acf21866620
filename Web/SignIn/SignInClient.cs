using System.Text.Json.Nodes;
using Web.Api;

namespace Web.SignIn;

/// <summary>Asks the API whether a credential is an operator's.</summary>
public sealed class SignInClient(HttpClient http)
{
    /// <summary>The problem with it; null for an operator's.</summary>
    /// <param name="credential">An API key or a token.</param>
    /// <param name="ct">Gives up waiting.</param>
    public async Task<Problem?> CheckAsync(string credential, CancellationToken ct)
    {
        var ask = new HttpRequestMessage(HttpMethod.Get, "/customers?pageSize=1");
        ask.Headers.Authorization = new("Bearer", credential);
        var answer = await http.SendAsync<JsonObject>(null, "sign in", ask, ct);
        return answer.Problem?.Status switch
        {
            System.Net.HttpStatusCode.Unauthorized => new(
                "The API doesn't know this key.", "Copy all of it. It may have been revoked."),
            System.Net.HttpStatusCode.Forbidden => new(
                "This key is a customer's.", "The console is for operators, whose keys begin with tko_."),
            _ => answer.Problem,
        };
    }
}

using System.Net;

namespace Api;

/// <summary>
/// As long as nobody has to say who they are, the API serves the machine it runs on, in Development, and refuses
/// everything else.
/// </summary>
internal static class DevelopmentOnly
{
    /// <exception cref="InvalidOperationException">The environment isn't Development, or an address is not a loopback
    /// one.</exception>
    public static void ListenOnLoopbackOnly(this WebApplicationBuilder builder)
    {
        if (!builder.Environment.IsDevelopment())
        {
            throw new InvalidOperationException(
                "The API has no authentication yet and runs in Development only; this environment is " +
                $"{builder.Environment.EnvironmentName}. " +
                "Set ASPNETCORE_ENVIRONMENT=Development on your own machine, or wait for the release that " +
                "brings API keys.");
        }

        // HTTP_PORTS says nothing of the address and means all of them: it becomes the loopback's.
        var urls = builder.Configuration[WebHostDefaults.ServerUrlsKey] is { Length: > 0 } given
            ? given
            : string.Join(';',
                Ports(builder, WebHostDefaults.HttpPortsKey, "http")
                    .Concat(Ports(builder, WebHostDefaults.HttpsPortsKey, "https")));
        foreach (var url in urls.Split(';', StringSplitOptions.RemoveEmptyEntries))
        {
            var host = BindingAddress.Parse(url).Host;
            if (host != "localhost"
                && !(IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address)))
            {
                throw new InvalidOperationException(
                    $"The API has no authentication yet and listens on loopback only, not on {url}. Use " +
                    "http://localhost:PORT.");
            }
        }

        if (builder.Configuration.GetSection("Kestrel:Endpoints").GetChildren().Any())
        {
            throw new InvalidOperationException(
                "The API has no authentication yet: name its address by urls or ASPNETCORE_URLS, not by " +
                "Kestrel:Endpoints.");
        }

        if (urls.Length > 0)
        {
            builder.WebHost.UseUrls(urls);
        }
    }

    private static IEnumerable<string> Ports(WebApplicationBuilder builder, string key, string scheme) =>
        (builder.Configuration[key] ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries)
            .Select(port => $"{scheme}://localhost:{port}");
}

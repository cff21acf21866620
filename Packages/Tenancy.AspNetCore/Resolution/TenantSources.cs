using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Primitives;

namespace Tenancy.AspNetCore.Resolution;

/// <summary>A place of a request that may name its tenant.</summary>
internal interface ITenantSource
{
    /// <summary>In words, for who has to name one: "in the header X-Shop".</summary>
    string Where { get; }

    /// <summary>The same at the beginning of a sentence: "The header X-Shop".</summary>
    string Name { get; }

    /// <summary>The header that answers depend on; null where the address says it.</summary>
    string? Varies { get; }

    /// <summary>Reads the values, valid slugs or not. Empty where there is none.</summary>
    StringValues Read(HttpContext context);

    /// <summary>Lets a client name a tenant there.</summary>
    /// <returns>False where only each request can.</returns>
    bool Address(HttpClient client, string slug);
}

internal sealed class HeaderSource(string name) : ITenantSource
{
    public string Where => $"in the header {name}";

    public string Name => $"The header {name}";

    public string? Varies => name;

    public StringValues Read(HttpContext context) => context.Request.Headers[name];

    public bool Address(HttpClient client, string slug) =>
        client.DefaultRequestHeaders.TryAddWithoutValidation(name, slug);
}

internal sealed class RouteSource(string parameter) : ITenantSource
{
    public string Where => $"in the address, as its {parameter}";

    public string Name => $"The address, as its {parameter},";

    public string? Varies => null;

    public StringValues Read(HttpContext context) => context.GetRouteValue(parameter) as string;

    public bool Address(HttpClient client, string slug) => false;
}

internal sealed class HostSource : ITenantSource
{
    private const string Slug = "{slug}";

    private readonly string _pattern;
    private readonly string _before;
    private readonly string _after;

    public HostSource(string pattern)
    {
        ArgumentException.ThrowIfNullOrEmpty(pattern);
        (_before, _after) = pattern.Split(Slug) is [var before, var after]
            ? (before, after)
            : throw new ArgumentException(
                $"'{pattern}' needs {Slug} once, as in {Slug}.shops.example.", nameof(pattern));
        _pattern = pattern;
    }

    public string Where => $"in the host's name, {_pattern}";

    public string Name => "The host's name";

    public string? Varies => null;

    /// <summary>A host that doesn't fit names nobody. Names of hosts have no case.</summary>
    public StringValues Read(HttpContext context)
    {
        var host = context.Request.Host.Host;
        return host.Length > _before.Length + _after.Length
            && host.StartsWith(_before, StringComparison.OrdinalIgnoreCase)
            && host.EndsWith(_after, StringComparison.OrdinalIgnoreCase)
                ? host[_before.Length..^_after.Length].ToLowerInvariant()
                : StringValues.Empty;
    }

    public bool Address(HttpClient client, string slug)
    {
        client.BaseAddress = new($"{client.BaseAddress?.Scheme ?? "http"}://{_before}{slug}{_after}/");
        return true;
    }
}

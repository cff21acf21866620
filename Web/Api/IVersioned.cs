using System.Net.Http.Headers;

namespace Web.Api;

/// <summary>Something that is changed later: the change names the version that was seen.</summary>
public interface IVersioned
{
    /// <summary>The ETag as it was answered, for <c>If-Match</c>; null where there was none.</summary>
    string? Version { get; set; }
}

/// <summary>Versions as they come and go in headers.</summary>
internal static class Versions
{
    /// <summary>Notes the version on a value that has one.</summary>
    public static T Seen<T>(this T value, EntityTagHeaderValue? tag)
    {
        if (value is IVersioned versioned)
        {
            versioned.Version = tag?.ToString();
        }

        return value;
    }

    /// <summary>Sends the version along: the API does nothing when it is no longer the one.</summary>
    public static HttpRequestMessage If(this HttpRequestMessage request, string? version)
    {
        if (version is not null)
        {
            request.Headers.IfMatch.Add(EntityTagHeaderValue.Parse(version));
        }

        return request;
    }
}

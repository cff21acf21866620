using System.Collections.Concurrent;
using System.Security.Claims;

namespace Web.SignIn;

/// <summary>
/// The sessions that were signed out: a circuit in another window, or a copy of the cookie, knows nothing of it. Kept by
/// this process, as long as a circuit or a cookie could last.
/// </summary>
internal sealed class EndedSessions(TimeProvider time)
{
    /// <summary>A session's id.</summary>
    public const string Claim = "session";

    private static readonly TimeSpan Kept = TimeSpan.FromDays(2);

    private readonly ConcurrentDictionary<string, DateTimeOffset> _ended = new(StringComparer.Ordinal);

    public void Add(ClaimsPrincipal user)
    {
        if (user.FindFirst(Claim)?.Value is not { } session)
        {
            return;
        }

        var now = time.GetUtcNow();
        foreach (var (old, at) in _ended)
        {
            if (now - at > Kept)
            {
                _ended.TryRemove(old, out _);
            }
        }

        _ended[session] = now;
    }

    public bool Has(ClaimsPrincipal? user) =>
        user?.FindFirst(Claim)?.Value is { } session && _ended.ContainsKey(session);
}

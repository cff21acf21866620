using System.Collections.Concurrent;
using System.Security.Claims;

namespace Web.SignIn;

/// <summary>
/// The sessions that this process has seen: a circuit in another window, or a copy of the cookie, knows nothing of a
/// sign-out, and a circuit lives as long as its window.
/// </summary>
internal sealed class Sessions(TimeProvider time)
{
    /// <summary>A session's id.</summary>
    public const string Claim = "session";

    /// <summary>How long a session lives that nobody uses.</summary>
    public static readonly TimeSpan Idle = TimeSpan.FromHours(8);

    /// <summary>No cookie is good for longer, and no circuit asks for longer.</summary>
    private static readonly TimeSpan Kept = TimeSpan.FromDays(14);

    private readonly ConcurrentDictionary<string, (DateTimeOffset Used, bool Ended)> _known =
        new(StringComparer.Ordinal);

    /// <summary>How many are remembered.</summary>
    public int Count => _known.Count;

    /// <summary>Ends a session; nothing for somebody without one.</summary>
    public void End(ClaimsPrincipal user)
    {
        if (user.FindFirst(Claim)?.Value is not { } session)
        {
            return;
        }

        _known[session] = (time.GetUtcNow(), true);
    }

    /// <summary>Notes that a session is used.</summary>
    /// <returns>False for one that was ended, or that nobody has used for too long.</returns>
    public bool Use(ClaimsPrincipal? user)
    {
        if (user?.FindFirst(Claim)?.Value is not { } session)
        {
            return true;
        }

        var now = time.GetUtcNow();
        if (!_known.ContainsKey(session))
        {
            // Rarely: once for each that signs in. Most close their window and never sign out.
            Forget(now);
        }

        var known = _known.AddOrUpdate(
            session, (now, false),
            (_, known) => (now, known.Ended || now - known.Used > Idle));
        return !known.Ended;
    }

    private void Forget(DateTimeOffset now)
    {
        foreach (var (old, known) in _known)
        {
            if (now - known.Used > Kept)
            {
                _known.TryRemove(old, out _);
            }
        }
    }
}

using System.Security.Claims;
using Microsoft.AspNetCore.Components.Authorization;

namespace Web.SignIn;

/// <summary>
/// The credential of who is signed in, for the API; one per circuit or request. Not a handler of the client: handlers
/// are shared and know no circuit.
/// </summary>
public sealed class OperatorKey
{
    /// <summary>Has the credential, in the encrypted cookie.</summary>
    internal const string Claim = "credential";

    private readonly Sessions _sessions;
    private readonly AuthenticationStateProvider _circuit;
    private ClaimsPrincipal? _user;

    internal OperatorKey(Sessions sessions, AuthenticationStateProvider circuit) =>
        (_sessions, _circuit) = (sessions, circuit);

    /// <summary>Says who asks, where there is no circuit: in an endpoint.</summary>
    public void Use(ClaimsPrincipal user) => _user = user;

    /// <summary>The credential; null when the session has ended.</summary>
    public async ValueTask<string?> FindAsync()
    {
        _user ??= (await _circuit.GetAuthenticationStateAsync()).User;
        return _sessions.Use(_user) ? _user.FindFirst(Claim)?.Value : null;
    }
}

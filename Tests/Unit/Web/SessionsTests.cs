using System.Security.Claims;
using Microsoft.Extensions.Time.Testing;
using Web.SignIn;
using Xunit;

namespace Tests.Unit.Web;

/// <summary>How long an operator stays signed in.</summary>
public sealed class SessionsTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void A_session_ends_when_nobody_has_used_it_for_eight_hours_and_stays_ended()
    {
        var sessions = new Sessions(_time);
        var user = ConsoleAccess.Session("Ada", "tko_x");

        Assert.True(sessions.Use(user));
        _time.Advance(TimeSpan.FromHours(7.9));
        Assert.True(sessions.Use(user));
        _time.Advance(TimeSpan.FromHours(7.9));
        Assert.True(sessions.Use(user));
        _time.Advance(TimeSpan.FromHours(8.1));
        Assert.False(sessions.Use(user));
        Assert.False(sessions.Use(user));
    }

    [Fact]
    public void A_session_that_was_ended_is_never_used_again_and_others_are()
    {
        var sessions = new Sessions(_time);
        var (ada, grace) = (ConsoleAccess.Session("Ada", "tko_x"), ConsoleAccess.Session("Ada", "tko_x"));

        sessions.End(ada);

        Assert.False(sessions.Use(ada));
        Assert.True(sessions.Use(grace));
        // Who isn't signed in has nothing that could end.
        sessions.End(new ClaimsPrincipal(new ClaimsIdentity()));
        Assert.True(sessions.Use(new ClaimsPrincipal(new ClaimsIdentity())));
    }

    [Fact]
    public void What_nobody_has_used_for_two_weeks_is_forgotten()
    {
        var sessions = new Sessions(_time);
        for (var visit = 0; visit < 3; visit++)
        {
            sessions.Use(ConsoleAccess.Session("Ada", "tko_x"));
        }

        Assert.Equal(3, sessions.Count);
        _time.Advance(TimeSpan.FromDays(15));
        sessions.Use(ConsoleAccess.Session("Ada", "tko_x"));

        Assert.Equal(1, sessions.Count);
    }
}

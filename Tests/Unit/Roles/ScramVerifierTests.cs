using Tenancy.Roles;
using Xunit;

namespace Tests.Unit.Roles;

public sealed class ScramVerifierTests
{
    [Fact]
    public void It_is_what_the_standard_says_of_its_own_example() =>
        // RFC 7677, section 3: the password "pencil", this salt, 4096 iterations.
        Assert.Equal(
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
            ScramVerifier.Of("pencil", Convert.FromBase64String("W22ZaJ0SNY7soEsUEjb6gQ==")));

    [Fact]
    public void Of_one_password_there_are_many_and_none_shows_it()
    {
        var verifiers = Enumerable.Range(0, 3).Select(_ => ScramVerifier.Of("it's a \\ $ecret")).ToArray();

        Assert.Equal(3, verifiers.Distinct().Count());
        Assert.All(verifiers,
            verifier => Assert.Matches(
                @"^SCRAM-SHA-256\$4096:[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=\z", verifier));
    }
}

using CsCheck;
using Xunit;

namespace Tests.Integration.Sql;

/// <summary>
/// Statements that make, alter, drop and maintain objects, and COPY, against what PostgreSQL has locked, changed and
/// depends on when they are over.
/// </summary>
public sealed class DefinitionsAgainstPostgresTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_definition_that_touches_what_is_not_the_tenants_is_refused_and_the_rest_passes()
    {
        await using var objects = await TouchedObjects.CreateAsync(app.Server, Ct);
        var verdicts = new GuardVerdicts();

        await Gen.Int.SampleAsync(
            async seed =>
            {
                var sql = new RandomDefinitions(seed, objects.Roles).Statement();
                verdicts.Compare(sql, await objects.RunAsync(sql, Ct));
            },
            iter: TestDepth.Of(normal: 800, full: 20_000),
            threads: 1);

        verdicts.AssertTheyProveSomething();
    }

    [Fact]
    public async Task A_copy_that_touches_what_is_not_the_tenants_is_refused_and_the_rest_passes()
    {
        await using var objects = await TouchedObjects.CreateAsync(app.Server, Ct);
        var verdicts = new GuardVerdicts();

        await Gen.Int.SampleAsync(
            async seed =>
            {
                var copy = new RandomCopies(seed).Next();
                verdicts.Compare(copy.Sql, await objects.RunCopyAsync(copy, Ct));
            },
            iter: TestDepth.Of(normal: 400, full: 10_000),
            threads: 1);

        verdicts.AssertTheyProveSomething();
    }

    [Fact]
    public async Task What_runs_in_no_transaction_and_waits_for_a_lock_of_anothers_is_refused_and_the_rest_passes()
    {
        await using var objects = await TouchedObjects.CreateAsync(app.Server, Ct);
        var verdicts = new GuardVerdicts();

        await Gen.Int.SampleAsync(
            async seed =>
            {
                var sql = new RandomMaintenance(seed).Statement();
                verdicts.Compare(sql, await objects.RunAloneAsync(sql, Ct));
            },
            iter: TestDepth.Of(normal: 60, full: 1_000),
            threads: 1);

        verdicts.AssertTheyProveSomething();
    }
}

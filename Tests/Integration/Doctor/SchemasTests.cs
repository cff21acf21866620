using Tenancy;
using Xunit;

namespace Tests.Integration.Doctor;

/// <summary>Schemas without a tenant, and tenants without a schema.</summary>
public sealed class SchemasTests(App app)
{
    [Fact]
    public async Task Schemas_that_no_tenant_has_are_found_until_they_are_gone()
    {
        await using var database = await Examination.StartAsync(app);
        await database.CreateAsync("one");
        Assert.Equal(DoctorVerdict.Ok, (await database.FindAsync("orphan-schemas")).Verdict);

        await database.ExecuteAsync(
            """CREATE SCHEMA stray; CREATE TABLE stray."__EFMigrationsHistory" (x int); CREATE SCHEMA nobodys""",
            "CREATE SCHEMA unregistered; INSERT INTO tenancy.schemas (schema, state) VALUES ('unregistered', 'ready')",
            "CREATE SCHEMA leftover; INSERT INTO tenancy.schemas (schema, state) VALUES ('leftover', 'dropped')",
            // A removal that goes on by itself, one that is to come, and one made beforehand.
            "CREATE SCHEMA leaving; CREATE SCHEMA waiting; INSERT INTO tenancy.schemas (schema, state, drop_after) " +
            "VALUES ('leaving', 'dropped', now()), ('waiting', 'dropping', now())",
            "CREATE SCHEMA spare; INSERT INTO tenancy.schemas (schema, state) VALUES ('spare', 'spare')");
        var found = await database.FindAsync("orphan-schemas");
        await database.ExecuteAsync("DROP SCHEMA stray, unregistered, leftover CASCADE");

        Assert.Equal((DoctorVerdict.Over, 3), (found.Verdict, found.Value));
        Assert.Equal(["stray", "unregistered", "leftover"], found.Names);
        Assert.NotEmpty(found.Advice);
        var after = await database.FindAsync("orphan-schemas");
        Assert.Equal((DoctorVerdict.Ok, 0, ""), (after.Verdict, after.Value, after.Advice));
    }

    [Fact]
    public async Task Tenants_without_a_schema_are_found_until_they_have_one()
    {
        await using var database = await Examination.StartAsync(app);
        foreach (var slug in (string[])["one", "two", "three"])
        {
            await database.CreateAsync(slug);
        }

        await database.ExecuteAsync("DROP SCHEMA customer_one, customer_two CASCADE",
            "DELETE FROM tenancy.schemas WHERE schema = 'customer_two'",
            // Those in the making have none yet, and those that are gone have none any more.
            "INSERT INTO tenancy.schemas (schema, state) VALUES ('made', 'provisioning'), ('gone', 'dropped')");
        var found = await database.FindAsync("missing-schemas");
        await database.ExecuteAsync("CREATE SCHEMA customer_one", "CREATE SCHEMA customer_two");

        Assert.Equal((DoctorVerdict.Over, 2), (found.Verdict, found.Value));
        Assert.Equal(["customer_one", "customer_two"], found.Names);
        Assert.Equal(DoctorVerdict.Ok, (await database.FindAsync("missing-schemas")).Verdict);
        // The registry knows it, and the ledger doesn't.
        Assert.Equal(["customer_two"], (await database.FindAsync("orphan-schemas")).Names);
    }

    [Fact]
    public async Task Without_a_ledger_nothing_is_called_well()
    {
        await using var database = await Examination.StartAsync(app);
        await database.ExecuteAsync("ALTER TABLE tenancy.schemas RENAME TO elsewhere");

        var report = await database.Doctor.ExamineAsync(TestContext.Current.CancellationToken);

        Assert.All(report.Findings.Where(finding => finding.Id is "missing-schemas" or "orphan-schemas" or "dump"),
            finding => Assert.Equal((DoctorVerdict.Unknown, null), (finding.Verdict, finding.Value)));
        Assert.Contains("migration job", report.Findings[0].Advice, StringComparison.Ordinal);
        Assert.Equal(DoctorVerdict.Ok, Assert.Single(report.Findings, one => one.Id == "relations").Verdict);
    }
}

using Tenancy;
using Xunit;

namespace Tests.Integration.Doctor;

/// <summary>Sizes, dead rows and ages, beside what PostgreSQL's own views say.</summary>
public sealed class CatalogsTests(App app)
{
    [Fact]
    public async Task Its_numbers_are_those_of_postgresqls_catalogs()
    {
        await using var database = await Examination.StartAsync(app);
        await database.CreateAsync("one");

        Assert.Equal(await database.ScalarAsync<long>("SELECT count(*) FROM pg_class"),
            (await database.FindAsync("relations")).Value);
        Assert.Equal(
            await database.ScalarAsync<long>(
                "SELECT (SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema'))" +
                // Citus has sequences of its own in pg_catalog, and a dump reads none of them.
                " + (SELECT count(*) FROM pg_sequences WHERE schemaname <> 'pg_catalog')"),
            (await database.FindAsync("dump-locks")).Value);
        Assert.Equal(
            await database.ScalarAsync<long>(
                "SELECT setting::bigint * (SELECT sum(setting::bigint) FROM pg_settings WHERE name IN " +
                "('max_connections', 'max_prepared_transactions'))::bigint FROM pg_settings WHERE name = " +
                "'max_locks_per_transaction'"),
            (await database.FindAsync("dump-locks")).Limit);
        // A size grows by the page while the two are asked.
        Assert.Equal(
            (double)await database.ScalarAsync<long>(
                "SELECT sum(pg_total_relation_size(relid))::bigint FROM pg_statio_sys_tables JOIN pg_class ON oid = " +
                "relid WHERE schemaname = 'pg_catalog' AND NOT relisshared"),
            (await database.FindAsync("catalog-size")).Value!.Value, 200_000.0);
    }

    [Theory]
    [InlineData("relations")]
    [InlineData("catalog-size")]
    public async Task A_size_over_its_budget_is_found_and_the_budget_can_be_raised(string id)
    {
        await using var database = await Examination.StartAsync(app);
        var (relations, bytes) = (database.Limits.Relations, database.Limits.CatalogBytes);
        (database.Limits.Relations, database.Limits.CatalogBytes) = (10, 10);
        var found = await database.FindAsync(id);
        (database.Limits.Relations, database.Limits.CatalogBytes) = (relations, bytes);

        Assert.Equal((DoctorVerdict.Over, 10), (found.Verdict, found.Limit));
        Assert.NotEmpty(found.Advice);
        Assert.Equal(DoctorVerdict.Ok, (await database.FindAsync(id)).Verdict);
    }

    [Fact]
    public async Task Dead_rows_of_the_catalogs_are_found_until_they_are_vacuumed()
    {
        await using var database = await Examination.StartAsync(app);
        await database.ExecuteAsync("VACUUM");
        (database.Limits.DeadCatalogRows, database.Limits.DeadCatalogShare) = (500, 0.1);
        Assert.Equal(DoctorVerdict.Ok, (await database.FindAsync("dead-catalog-rows")).Verdict);

        await database.ExecuteAsync(
            "DO $$ BEGIN FOR i IN 1..1000 LOOP CREATE TEMP TABLE t (a int, b int); DROP TABLE t; END LOOP; END $$");
        var found = await database.FindAsync("dead-catalog-rows", one => one.Verdict == DoctorVerdict.Over);
        await database.ExecuteAsync("VACUUM");

        Assert.Contains(found.Names, name => name.StartsWith("pg_attribute ", StringComparison.Ordinal));
        Assert.Contains("pg_depend", found.Says, StringComparison.Ordinal);
        Assert.InRange(found.Value!.Value, 10, 100);
        var after = await database.FindAsync("dead-catalog-rows", one => one.Verdict == DoctorVerdict.Ok);
        Assert.Equal(0, after.Value);
    }

    [Fact]
    public async Task A_table_past_its_own_threshold_waits_for_autovacuum()
    {
        await using var database = await Examination.StartAsync(app);
        // Autovacuum itself leaves it alone.
        await database.ExecuteAsync(
            "CREATE TABLE public.busy (x int) WITH (autovacuum_enabled = false, autovacuum_vacuum_threshold = 10, " +
            "autovacuum_vacuum_scale_factor = 0)",
            "INSERT INTO public.busy SELECT generate_series(1, 90000)", "DELETE FROM public.busy");
        var found = await database.FindAsync("vacuum-backlog", one => one.Names.Contains("busy"));
        await database.ExecuteAsync("VACUUM public.busy");

        Assert.True(found.Value >= 1);
        Assert.Equal((double)database.Limits.TablesPastVacuum, found.Limit);
        await database.FindAsync("vacuum-backlog", one => !one.Names.Contains("busy"));
    }

    [Fact]
    public async Task The_oldest_tables_age_is_postgresqls_and_freezing_lowers_it()
    {
        await using var database = await Examination.StartAsync(app);
        // Numbers are given to all databases together; a subtransaction that writes takes one.
        await database.ExecuteAsync(
            "CREATE TABLE public.counted (x int)",
            """
            DO $$ BEGIN FOR i IN 1..3000 LOOP
                BEGIN INSERT INTO public.counted VALUES (i); EXCEPTION WHEN others THEN NULL; END;
            END LOOP; END $$
            """);
        const string Oldest = "SELECT max(age(relfrozenxid)) FROM pg_class WHERE relkind IN ('r', 't', 'm')";
        var before = await database.ScalarAsync<int>(Oldest);
        database.Limits.FreezeAgeShare = 0.00001;
        var found = await database.FindAsync("freeze-age");
        var after = await database.ScalarAsync<int>(Oldest);

        Assert.InRange(found.Value!.Value, before, after);
        Assert.Equal((DoctorVerdict.Over, 2000, 10), (found.Verdict, found.Limit, found.Names.Count));
        database.Limits.FreezeAgeShare = 0.9;
        Assert.Equal(DoctorVerdict.Ok, (await database.FindAsync("freeze-age")).Verdict);
    }
}

using Tenancy.Guard;
using Xunit;

namespace Tests.Unit.Guard;

/// <summary>What the allow-lists of the guard say, by examples. The server's catalogs are compared elsewhere.</summary>
public sealed class GuardListsTests
{
    private static readonly FunctionRules Rules = new(["vat_of", "public.round_up"]);

    [Theory]
    [InlineData("pg_stats")]
    [InlineData("pg_stat_activity")]
    [InlineData("pg_statio_user_tables")]
    [InlineData("pg_stat_of_a_later_version")]
    [InlineData("pg_sequences")]
    [InlineData("pg_largeobject")]
    [InlineData("pg_class")]
    [InlineData("pg_namespace")]
    [InlineData("pg_prepared_statements")]
    [InlineData("pg_new_view_of_a_later_version")]
    [InlineData("contacts")]
    public void Catalogs_with_other_tenants_data_or_names_are_not_read(string relation)
    {
        Assert.False(PostgresCatalog.MayRead(relation));
        Assert.Contains(relation, PostgresCatalog.WhyNotRead(relation), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pg_timezone_names")]
    [InlineData("pg_collation")]
    [InlineData("pg_extension")]
    [InlineData("pg_ts_config")]
    public void Catalogs_without_a_tenants_data_are_read(string relation) =>
        Assert.Null(PostgresCatalog.WhyNotRead(relation));

    [Theory]
    [InlineData("pg_terminate_backend")]
    [InlineData("pg_stat_get_activity")]
    [InlineData("lo_get")]
    [InlineData("loread")]
    [InlineData("nextval")]
    [InlineData("lastval")]
    [InlineData("setseed")]
    [InlineData("query_to_xml")]
    [InlineData("ts_rewrite")]
    [InlineData("currtid2")]
    [InlineData("pg_relation_size")]
    [InlineData("pg_get_viewdef")]
    [InlineData("acldefault")]
    [InlineData("array_in")]
    [InlineData("regclassout")]
    [InlineData("regrole")]
    [InlineData("dblink")]
    [InlineData("dblink_of_a_later_version")]
    [InlineData("crosstab")]
    [InlineData("set_limit")]
    [InlineData("st_estimatedextent")]
    [InlineData("unknown_function")]
    public void Functions_that_reach_beyond_the_tenant_are_not_called(string function) =>
        Assert.NotNull(Rules.WhyNotCall(null, function));

    [Theory]
    [InlineData("now")]
    [InlineData("lower")]
    [InlineData("count")]
    [InlineData("coalesce")]
    [InlineData("jsonb_agg")]
    [InlineData("to_tsvector")]
    [InlineData("gen_random_uuid")]
    [InlineData("pg_advisory_xact_lock")]
    [InlineData("row_number")]
    [InlineData("similarity")]
    [InlineData("unaccent")]
    [InlineData("levenshtein")]
    [InlineData("hstore")]
    [InlineData("nlevel")]
    [InlineData("st_distance")]
    [InlineData("vat_of")]
    [InlineData("round_up")]
    public void Harmless_functions_are_called_without_a_schema(string function) =>
        Assert.Null(Rules.WhyNotCall(null, function));

    [Theory]
    [InlineData("public", "my_function", true)]
    [InlineData("public", "similarity", true)]
    [InlineData("public", "dblink_exec", false)]
    [InlineData("extensions", "pg_stat_statements_reset", false)]
    [InlineData("pg_catalog", "lower", true)]
    [InlineData("pg_catalog", "similarity", false)]
    [InlineData("pg_catalog", "pg_read_file", false)]
    [InlineData("pg_catalog", "vat_of", false)]
    public void A_schema_before_the_function_decides_who_judges_it(string schema, string function, bool may) =>
        Assert.Equal(may, Rules.WhyNotCall(schema, function) is null);

    [Fact]
    public void A_declaration_does_not_free_a_function_that_postgres_finds_first() =>
        Assert.NotNull(new FunctionRules(["pg_terminate_backend"]).WhyNotCall(null, "pg_terminate_backend"));

    [Fact]
    public void Types_that_name_any_object_are_not_used()
    {
        Assert.All(["regclass", "regrole", "regnamespace", "_regproc", "aclitem"],
            type => Assert.NotNull(PostgresCatalog.WhyNotUse(type)));
        Assert.All(["int4", "text", "oid", "regconfig", "regdictionary", "citext"],
            type => Assert.Null(PostgresCatalog.WhyNotUse(type)));
    }

    [Fact]
    public void No_name_has_two_verdicts()
    {
        Assert.DoesNotContain(
            AllowedFunctions.Groups.SelectMany(group => group.All)
                .Concat(NameGroup.Split(ImmutableFunctions.Names)),
            name => PostgresCatalog.KnownHarm(name) is not null);
        Assert.DoesNotContain(
            ContribLists.Harmless.SelectMany(group => group.All), name => ContribFunctions.WhyNot(name) is not null);
        Assert.DoesNotContain(CatalogRelations.Refused.SelectMany(group => group.All), PostgresCatalog.MayRead);
        Assert.DoesNotContain(SettingLists.Refused.SelectMany(group => group.All), SettingRules.MaySet);
    }
}

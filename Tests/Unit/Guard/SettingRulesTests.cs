using Tenancy.Guard;
using Xunit;

namespace Tests.Unit.Guard;

/// <summary>Which settings a tenant's command changes for its transaction, and how it may name them.</summary>
public sealed class SettingRulesTests
{
    [Theory]
    [InlineData("search_path")]
    [InlineData("Search_Path")]
    [InlineData("role")]
    [InlineData("session_authorization")]
    [InlineData("client_encoding")]
    [InlineData("standard_conforming_strings")]
    [InlineData("session_replication_role")]
    [InlineData("row_security")]
    [InlineData("default_tablespace")]
    [InlineData("idle_in_transaction_session_timeout")]
    [InlineData("seed")]
    [InlineData("setting_of_a_later_version")]
    [InlineData("citus.enable_schema_based_sharding")]
    [InlineData("PLPGSQL.variable_conflict")]
    [InlineData("pg_trgm.other")]
    public void A_setting_that_reaches_beyond_the_transactions_own_work_is_refused(string setting)
    {
        Assert.False(SettingRules.MaySet(setting));
        Assert.Contains(setting, SettingRules.WhyNotSet(setting), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("statement_timeout")]
    [InlineData("lock_timeout")]
    [InlineData("work_mem")]
    [InlineData("enable_seqscan")]
    [InlineData("timezone")]
    [InlineData("app.user_id")]
    [InlineData("pg_trgm.similarity_threshold")]
    [InlineData("hnsw.ef_search")]
    public void A_setting_of_the_transactions_own_work_is_allowed(string setting) =>
        Assert.True(SettingRules.MaySet(setting));

    [Theory]
    [InlineData("'app.user_id'", "app.user_id")]
    [InlineData("'search_path'", "search_path")]
    [InlineData("E'search_path'", null)]
    [InlineData("$$search_path$$", null)]
    [InlineData("U&'search_path'", null)]
    [InlineData("N'search_path'", null)]
    [InlineData("'search_' || 'path'", null)]
    [InlineData("'search_'\n'path'", null)]
    [InlineData("'search''path'", null)]
    [InlineData("'search\\137path'", null)]
    [InlineData("'search_path'::text", null)]
    [InlineData("' search_path'", null)]
    [InlineData("'search_path'\n", null)]
    [InlineData("''", null)]
    [InlineData("@name", null)]
    [InlineData("$1", null)]
    [InlineData("'", null)]
    public void Only_a_plain_literal_names_a_setting(string argument, string? name) =>
        Assert.Equal(name, SettingRules.PlainName(argument));
}

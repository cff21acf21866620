using System.Collections.Frozen;

namespace Tenancy.Guard;

/// <summary>The names that <see cref="SettingRules"/> decide by.</summary>
internal static class SettingLists
{
    public static IReadOnlyList<NameGroup> Settable { get; } =
    [
        new("How long the transaction may wait or work", "lock_timeout statement_timeout transaction_timeout"),
        new("What kind of transaction it is: SET TRANSACTION sets the same",
            "synchronous_commit transaction_deferrable transaction_isolation transaction_read_only"),
        new("How the planner chooses",
            """
            constraint_exclusion cpu_index_tuple_cost cpu_operator_cost cpu_tuple_cost cursor_tuple_fraction
            default_statistics_target effective_cache_size effective_io_concurrency enable_async_append
            enable_bitmapscan enable_distinct_reordering enable_gathermerge enable_group_by_reordering enable_hashagg
            enable_hashjoin enable_incremental_sort enable_indexonlyscan enable_indexscan enable_material
            enable_memoize enable_mergejoin enable_nestloop enable_parallel_append enable_parallel_hash
            enable_partition_pruning enable_partitionwise_aggregate enable_partitionwise_join
            enable_presorted_aggregate enable_self_join_elimination enable_seqscan enable_sort enable_tidscan
            from_collapse_limit geqo geqo_effort geqo_generations geqo_pool_size geqo_seed geqo_selection_bias
            geqo_threshold gin_fuzzy_search_limit hash_mem_multiplier jit jit_above_cost jit_inline_above_cost
            jit_optimize_above_cost join_collapse_limit maintenance_io_concurrency maintenance_work_mem
            max_parallel_maintenance_workers max_parallel_workers max_parallel_workers_per_gather
            min_parallel_index_scan_size min_parallel_table_scan_size parallel_leader_participation
            parallel_setup_cost parallel_tuple_cost plan_cache_mode random_page_cost recursive_worktable_factor
            seq_page_cost work_mem
            """),
        new("How values are written and read; never which table is meant",
            """
            bytea_output DateStyle default_text_search_config extra_float_digits IntervalStyle lc_monetary lc_numeric
            lc_time TimeZone xmlbinary xmloption
            """),
        new("What is reported", "application_name client_min_messages"),
        new("Whether CREATE FUNCTION checks its body", "check_function_bodies"),
        new("Limits of an extension that end with the transaction",
            """
            hnsw.ef_search hnsw.iterative_scan hnsw.max_scan_tuples hnsw.scan_mem_multiplier ivfflat.iterative_scan
            ivfflat.max_probes ivfflat.probes pg_trgm.similarity_threshold pg_trgm.strict_word_similarity_threshold
            pg_trgm.word_similarity_threshold
            """),
    ];

    public static IReadOnlyList<NameGroup> Refused { get; } =
    [
        new("changes where the next statements go. Every statement names its schema here",
            "default_table_access_method default_tablespace schema search_path temp_tablespaces"),
        new("changes who runs the next statements", "role session session_authorization"),
        new("changes what the next statements mean, so that the server reads another text than the guard has read",
            """
            array_nulls backslash_quote client_encoding names quote_all_identifiers standard_conforming_strings
            transform_null_equals
            """),
        new("turns off triggers, foreign keys or policies",
            "event_triggers restrict_nonsystem_relation_kind row_security session_replication_role"),
        new("lifts a limit that protects the other tenants from an idle transaction",
            "idle_in_transaction_session_timeout idle_session_timeout"),
        new("changes what random() answers to the session's next user", "seed"),
    ];

    /// <summary>
    /// The prefixes, before the dot, of extensions' settings that change more than the transaction, or what a text
    /// means. <c>pg_trgm</c>, <c>hnsw</c> and <c>ivfflat</c> are here for their other settings.
    /// </summary>
    public static FrozenSet<string> ExtensionPrefixes { get; } = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "anon", "auto_explain", "basic_archive", "citus", "columnar", "cron", "dblink", "file_fdw", "hnsw", "isn",
        "ivfflat", "passwordcheck", "pg_hint_plan", "pg_prewarm", "pg_stat_statements", "pg_trgm", "pgaudit",
        "pgcrypto", "pglogical", "plperl", "plpgsql", "plpython", "plpython3", "pltcl", "postgis", "postgres_fdw",
        "sepgsql", "supautils", "timescaledb", "unaccent");
}

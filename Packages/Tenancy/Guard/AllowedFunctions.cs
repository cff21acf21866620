namespace Tenancy.Guard;

/// <summary>
/// The functions of <c>pg_catalog</c> that aren't all IMMUTABLE and that a tenant's command may call.
/// <see cref="ImmutableFunctions"/> has the others.
/// </summary>
internal static class AllowedFunctions
{
    public static IReadOnlyList<NameGroup> Groups { get; } =
    [
        new("Computes with its arguments; settings such as the time zone decide how",
            """
            age anyarray_send anycompatiblearray_send anytextcat array_send array_to_json array_to_string bpcharsend
            concat concat_ws convert convert_from convert_to date date_add date_cmp_timestamptz date_eq_timestamptz
            date_ge_timestamptz date_gt_timestamptz date_le_timestamptz date_lt_timestamptz date_ne_timestamptz
            date_part date_subtract date_trunc enum_first enum_last enum_range enum_send extract format
            generate_series in_range interval_avg interval_pl_timestamptz json_agg json_agg_strict json_build_array
            json_build_object json_object_agg json_object_agg_strict json_object_agg_unique
            json_object_agg_unique_strict json_populate_record json_populate_recordset json_to_record
            json_to_recordset json_to_tsvector jsonb_agg jsonb_agg_strict jsonb_build_array jsonb_build_object
            jsonb_object_agg jsonb_path_exists_tz jsonb_path_match_tz jsonb_path_query_array_tz
            jsonb_path_query_first_tz jsonb_path_query_tz jsonb_populate_record jsonb_populate_record_valid
            jsonb_populate_recordset jsonb_to_record jsonb_to_recordset jsonb_to_tsvector length make_timestamptz
            money multirange_send namesend numeric overlaps pg_options_to_table quote_literal quote_nullable
            range_send record_send row_to_json textanycat textsend time timestamp timestamp_cmp_timestamptz
            timestamp_eq_timestamptz timestamp_ge_timestamptz timestamp_gt_timestamptz timestamp_le_timestamptz
            timestamp_lt_timestamptz timestamp_ne_timestamptz timestamptz timestamptz_cmp_date
            timestamptz_cmp_timestamp timestamptz_eq_date timestamptz_eq_timestamp timestamptz_ge_date
            timestamptz_ge_timestamp timestamptz_gt_date timestamptz_gt_timestamp timestamptz_le_date
            timestamptz_le_timestamp timestamptz_lt_date timestamptz_lt_timestamp timestamptz_mi_interval
            timestamptz_ne_date timestamptz_ne_timestamp timestamptz_pl_interval timetz timezone to_char to_date
            to_json to_jsonb to_number to_timestamp varcharsend xml xml_is_well_formed xml_send
            """),
        new("Text search: names a configuration or a parser, never a table",
            """
            get_current_ts_config phraseto_tsquery plainto_tsquery to_tsquery to_tsvector ts_debug ts_headline
            ts_match_tq ts_match_tt ts_parse ts_token_type websearch_to_tsquery
            """),
        new("Tells about a value: its type, size or collation",
            "pg_collation_for pg_column_compression pg_column_size pg_column_toast_chunk_id pg_typeof"),
        new("The time, chance, and identifiers made of both",
            """
            array_sample array_shuffle clock_timestamp gen_random_uuid now pg_sleep pg_sleep_for pg_sleep_until random
            random_normal statement_timestamp timeofday transaction_timestamp uuidv4 uuidv7
            """),
        new("Tells about this session or this transaction, where no tenant leaves anything",
            """
            current_database current_query current_schema current_schemas current_setting current_user getpgusername
            inet_client_addr inet_client_port inet_server_addr inet_server_port mxid_age pg_backend_pid
            pg_client_encoding pg_current_snapshot pg_current_xact_id pg_current_xact_id_if_assigned pg_my_temp_schema
            pg_trigger_depth pg_xact_commit_timestamp pg_xact_status session_user system_user txid_current
            txid_current_if_assigned txid_current_snapshot txid_status
            """),
        new("Ends with the transaction",
            """
            pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_try_advisory_xact_lock
            pg_try_advisory_xact_lock_shared set_config
            """),
        new("Carries only what its caller passes", "pg_notify"),
        new("Tells about the server what every tenant may know",
            """
            getdatabaseencoding pg_available_extension_versions pg_available_extensions pg_char_to_encoding
            pg_conf_load_time pg_encoding_to_char pg_get_keywords pg_is_in_recovery pg_jit_available
            pg_postmaster_start_time pg_timezone_abbrevs pg_timezone_abbrevs_abbrevs pg_timezone_abbrevs_zone
            pg_timezone_names version
            """),
        new("A trigger's function: it can't be called, and changes the row that it is given",
            "suppress_redundant_updates_trigger tsvector_update_trigger tsvector_update_trigger_column"),
        new("An estimator or a sampling method: it is named in CREATE OPERATOR or TABLESAMPLE and can't be called",
            """
            areajoinsel areasel arraycontjoinsel arraycontsel bernoulli contjoinsel contsel eqjoinsel eqsel
            iclikejoinsel iclikesel icnlikejoinsel icnlikesel icregexeqjoinsel icregexeqsel icregexnejoinsel
            icregexnesel likejoinsel likesel matchingjoinsel matchingsel multirangesel neqjoinsel neqsel networkjoinsel
            networksel nlikejoinsel nlikesel positionjoinsel positionsel prefixjoinsel prefixsel rangesel
            regexeqjoinsel regexeqsel regexnejoinsel regexnesel scalargejoinsel scalargesel scalargtjoinsel scalargtsel
            scalarlejoinsel scalarlesel scalarltjoinsel scalarltsel system tsmatchjoinsel tsmatchsel
            """),
    ];

    /// <summary>
    /// Constructs that PostgreSQL's grammar writes like a call, though <c>pg_proc</c> has no such function.
    /// </summary>
    public const string Syntax =
        """
        all any array cast coalesce collation current_catalog current_date current_role current_time current_timestamp
        exists greatest grouping json json_array json_arrayagg json_exists json_object json_objectagg json_query
        json_scalar json_serialize json_table json_value least localtime localtimestamp merge_action normalize nullif
        overlay position row some substring treat trim user xmlattributes xmlconcat xmlelement xmlexists xmlforest
        xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
        """;
}

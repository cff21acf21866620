namespace Tenancy.Guard;

/// <summary>
/// The functions of <c>pg_catalog</c> that no tenant's command may call, each with its reason. A function that is
/// neither here nor in <see cref="AllowedFunctions"/> or <see cref="ImmutableFunctions"/> is machinery of a type, an
/// index or a trigger, and is refused, too.
/// </summary>
internal static class RefusedFunctions
{
    public static IReadOnlyList<NameGroup> Groups { get; } =
    [
        new("runs SQL that stands in a text or a cursor. Write the query itself",
            """
            cursor_to_xml cursor_to_xmlschema database_to_xml database_to_xml_and_xmlschema database_to_xmlschema
            query_to_xml query_to_xml_and_xmlschema query_to_xmlschema schema_to_xml schema_to_xml_and_xmlschema
            schema_to_xmlschema table_to_xml table_to_xml_and_xmlschema table_to_xmlschema ts_rewrite ts_stat
            """),
        new("names its sequence in a text, or answers for the session. Use an identity column, or " +
            $"nextval('\"{TenantPlaceholder.Schema}\".numbers')",
            """
            currval lastval nextval pg_get_sequence_data pg_get_serial_sequence pg_sequence_last_value
            pg_sequence_parameters setval
            """),
        new("locks for the session. Use pg_advisory_xact_lock, which ends with the transaction",
            """
            pg_advisory_lock pg_advisory_lock_shared pg_advisory_unlock pg_advisory_unlock_all
            pg_advisory_unlock_shared pg_try_advisory_lock pg_try_advisory_lock_shared
            """),
        new("changes or shows what the session keeps for its next user",
            """
            pg_cursor pg_export_snapshot pg_is_other_temp_schema pg_listening_channels pg_prepared_statement
            pg_stat_clear_snapshot pg_stat_force_next_flush setseed
            """),
        new("reads or writes large objects, which all tenants of the database share. Use a bytea column",
            """
            has_largeobject_privilege lo_close lo_creat lo_create lo_export lo_from_bytea lo_get lo_import lo_lseek
            lo_lseek64 lo_open lo_put lo_tell lo_tell64 lo_truncate lo_truncate64 lo_unlink loread lowrite
            """),
        new("shows what other sessions do, or did",
            """
            pg_blocking_pids pg_get_multixact_members pg_isolation_test_session_is_blocked pg_last_committed_xact
            pg_lock_status pg_notification_queue_usage pg_prepared_xact pg_safe_snapshot_blocking_pids
            """),
        new("disturbs other sessions or the server",
            """
            pg_cancel_backend pg_log_backend_memory_contexts pg_promote pg_reload_conf pg_rotate_logfile
            pg_rotate_logfile_old pg_terminate_backend
            """),
        new("names a table in a text or a number, which is never rewritten, and shows its size or its rows",
            """
            currtid2 pg_database_size pg_indexes_size pg_relation_size pg_table_size pg_tablespace_size
            pg_total_relation_size satisfies_hash_partition
            """),
        new("names a table in a text or a number, which is never rewritten, and changes its storage or statistics",
            """
            brin_desummarize_range brin_summarize_new_values brin_summarize_range gin_clean_pending_list
            pg_clear_attribute_stats pg_clear_relation_stats pg_restore_attribute_stats pg_restore_relation_stats
            """),
        new("shows the names or definitions of objects of any tenant", Definitions),
        new("reads the server's files, memory or configuration", Server),
        new("belongs to replication, backup or the write-ahead log, which are the whole server's", Replication),
        new("belongs to PostgreSQL's own tools: pg_upgrade, pg_dump, extensions, event triggers",
            """
            amvalidate binary_upgrade_add_sub_rel_state binary_upgrade_create_empty_extension
            binary_upgrade_logical_slot_has_caught_up binary_upgrade_replorigin_advance
            binary_upgrade_set_missing_value binary_upgrade_set_next_array_pg_type_oid
            binary_upgrade_set_next_attribute_versions
            binary_upgrade_set_next_heap_pg_class_oid binary_upgrade_set_next_heap_relfilenode
            binary_upgrade_set_next_index_pg_class_oid binary_upgrade_set_next_index_relfilenode
            binary_upgrade_set_next_multirange_array_pg_type_oid binary_upgrade_set_next_multirange_pg_type_oid
            binary_upgrade_set_next_pg_authid_oid binary_upgrade_set_next_pg_enum_oid
            binary_upgrade_set_next_pg_tablespace_oid binary_upgrade_set_next_pg_type_oid
            binary_upgrade_set_next_toast_pg_class_oid binary_upgrade_set_next_toast_relfilenode
            binary_upgrade_set_record_init_privs fmgr_c_validator fmgr_internal_validator fmgr_sql_validator
            pg_event_trigger_ddl_commands pg_event_trigger_dropped_objects pg_event_trigger_table_rewrite_oid
            pg_event_trigger_table_rewrite_reason pg_extension_config_dump pg_import_system_collations pg_nextoid
            pg_stop_making_pinned_objects plpgsql_validator postgresql_fdw_validator
            """),
    ];

    /// <summary>
    /// All functions so named show, or reset, statistics of the server: queries of other sessions, counts of rows.
    /// </summary>
    public const string StatisticsPrefix = "pg_stat_";

    public const string StatisticsReason = "shows or resets statistics about all tenants: their queries, their rows";

    private const string Definitions =
        """
        aclcontains acldefault aclexplode aclinsert aclitemeq aclremove col_description format_type hash_aclitem
        hash_aclitem_extended has_any_column_privilege has_column_privilege has_database_privilege
        has_foreign_data_wrapper_privilege has_function_privilege has_language_privilege has_parameter_privilege
        has_schema_privilege has_sequence_privilege has_server_privilege has_table_privilege has_tablespace_privilege
        has_type_privilege makeaclitem obj_description oidvectortypes pg_basetype pg_collation_actual_version
        pg_collation_is_visible pg_column_is_updatable pg_conversion_is_visible pg_database_collation_actual_version
        pg_describe_object pg_extension_update_paths pg_filenode_relation pg_function_is_visible pg_get_acl
        pg_get_catalog_foreign_keys pg_get_constraintdef pg_get_expr pg_get_function_arg_default
        pg_get_function_arguments pg_get_function_identity_arguments pg_get_function_result pg_get_function_sqlbody
        pg_get_functiondef pg_get_indexdef pg_get_object_address pg_get_partition_constraintdef pg_get_partkeydef
        pg_get_replica_identity_index pg_get_ruledef pg_get_statisticsobjdef pg_get_statisticsobjdef_columns
        pg_get_statisticsobjdef_expressions pg_get_triggerdef pg_get_userbyid pg_get_viewdef pg_has_role
        pg_identify_object pg_identify_object_as_address pg_index_column_has_property pg_index_has_property
        pg_indexam_has_property pg_input_error_info pg_input_is_valid pg_mcv_list_items pg_mcv_list_send
        pg_ndistinct_send pg_dependencies_send pg_node_tree_send brin_bloom_summary_send
        brin_minmax_multi_summary_send pg_opclass_is_visible pg_operator_is_visible pg_opfamily_is_visible
        pg_partition_ancestors pg_partition_root pg_partition_tree pg_relation_filenode pg_relation_filepath
        pg_relation_is_publishable pg_relation_is_updatable pg_statistics_obj_is_visible pg_table_is_visible
        pg_ts_config_is_visible pg_ts_dict_is_visible pg_ts_parser_is_visible pg_ts_template_is_visible
        pg_type_is_visible regclass regclasssend regcollationsend regnamespacesend regoperatorsend regopersend
        regproceduresend regprocsend regrolesend regtypesend row_security_active shobj_description to_regclass
        to_regcollation to_regnamespace to_regoper to_regoperator to_regproc to_regprocedure to_regrole to_regtype
        to_regtypemod
        """;

    private const string Server =
        """
        pg_config pg_control_checkpoint pg_control_init pg_control_recovery pg_control_system pg_current_logfile
        pg_get_aios pg_get_backend_memory_contexts pg_get_loaded_modules pg_get_shmem_allocations
        pg_get_shmem_allocations_numa pg_get_wait_events pg_hba_file_rules pg_ident_file_mappings
        pg_ls_archive_statusdir pg_ls_dir pg_ls_logdir pg_ls_logicalmapdir pg_ls_logicalsnapdir pg_ls_replslotdir
        pg_ls_summariesdir pg_ls_tmpdir pg_ls_waldir pg_numa_available pg_read_binary_file pg_read_file
        pg_read_file_old pg_settings_get_flags pg_show_all_file_settings pg_show_all_settings
        pg_tablespace_databases pg_tablespace_location
        """;

    private const string Replication =
        """
        pg_available_wal_summaries pg_backup_start pg_backup_stop pg_copy_logical_replication_slot
        pg_copy_physical_replication_slot pg_create_logical_replication_slot pg_create_physical_replication_slot
        pg_create_restore_point pg_current_wal_flush_lsn pg_current_wal_insert_lsn pg_current_wal_lsn
        pg_drop_replication_slot pg_get_publication_tables pg_get_replication_slots pg_get_wal_replay_pause_state
        pg_get_wal_resource_managers pg_get_wal_summarizer_state pg_is_wal_replay_paused pg_last_wal_receive_lsn
        pg_last_wal_replay_lsn pg_last_xact_replay_timestamp pg_log_standby_snapshot pg_logical_emit_message
        pg_logical_slot_get_binary_changes pg_logical_slot_get_changes pg_logical_slot_peek_binary_changes
        pg_logical_slot_peek_changes pg_replication_origin_advance pg_replication_origin_create
        pg_replication_origin_drop pg_replication_origin_oid pg_replication_origin_progress
        pg_replication_origin_session_is_setup pg_replication_origin_session_progress
        pg_replication_origin_session_reset pg_replication_origin_session_setup pg_replication_origin_xact_reset
        pg_replication_origin_xact_setup pg_replication_slot_advance pg_show_replication_origin_status
        pg_split_walfile_name pg_switch_wal pg_sync_replication_slots pg_wal_replay_pause pg_wal_replay_resume
        pg_wal_summary_contents pg_xact_commit_timestamp_origin
        """;
}

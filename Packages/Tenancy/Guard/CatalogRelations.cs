namespace Tenancy.Guard;

/// <summary>
/// The relations of <c>pg_catalog</c>: those that a tenant's command may read, and why not the others.
/// </summary>
internal static class CatalogRelations
{
    /// <summary>
    /// Their rows come from PostgreSQL or an extension, or describe objects that hold no data: no row has a value, a
    /// count, or the name of a table, a schema or a role.
    /// </summary>
    public const string Readable =
        """
        pg_am pg_amop pg_amproc pg_available_extension_versions pg_available_extensions pg_cast pg_collation
        pg_conversion pg_extension pg_language pg_opclass pg_operator pg_opfamily pg_timezone_abbrevs pg_timezone_names
        pg_ts_config pg_ts_config_map pg_ts_dict pg_ts_parser pg_ts_template pg_wait_events
        """;

    public static IReadOnlyList<NameGroup> Refused { get; } =
    [
        new("lists the objects of all tenants by name or definition, and some of their values and counts",
            """
            pg_aggregate pg_attrdef pg_attribute pg_class pg_constraint pg_default_acl pg_depend pg_description pg_enum
            pg_event_trigger pg_foreign_data_wrapper pg_foreign_server pg_foreign_table pg_index pg_indexes pg_inherits
            pg_init_privs pg_matviews pg_namespace pg_partitioned_table pg_policies pg_policy pg_proc pg_publication
            pg_publication_namespace pg_publication_rel pg_publication_tables pg_range pg_rewrite pg_rules pg_seclabel
            pg_seclabels pg_sequence pg_shdepend pg_shdescription pg_shseclabel pg_statistic_ext pg_tables pg_transform
            pg_trigger pg_type pg_views
            """),
        new("shows values or counts of all tenants' rows",
            """
            pg_largeobject pg_largeobject_metadata pg_sequences pg_statistic pg_statistic_ext_data pg_stats
            pg_stats_ext pg_stats_ext_exprs
            """),
        new("shows what other sessions do, or what this one keeps",
            "pg_aios pg_cursors pg_locks pg_prepared_statements pg_prepared_xacts"),
        new("shows roles, databases or the server's configuration",
            """
            pg_auth_members pg_authid pg_backend_memory_contexts pg_config pg_database pg_db_role_setting
            pg_file_settings pg_group pg_hba_file_rules pg_ident_file_mappings pg_parameter_acl pg_replication_origin
            pg_replication_origin_status pg_replication_slots pg_roles pg_settings pg_shadow pg_shmem_allocations
            pg_shmem_allocations_numa pg_subscription pg_subscription_rel pg_tablespace pg_user pg_user_mapping
            pg_user_mappings
            """),
    ];

    /// <summary>All relations so named show statistics of the server.</summary>
    public static IReadOnlyList<string> StatisticsPrefixes { get; } = ["pg_stat_", "pg_statio_"];
}

namespace Tenancy.Guard;

/// <summary>The names that <see cref="ContribFunctions"/> decides by.</summary>
internal static class ContribLists
{
    public const string DblinkReason =
        "runs SQL that stands in a text, over a connection of its own. Write the query itself";

    public static IReadOnlyList<NameGroup> Harmful { get; } =
    [
        new(
            "runs SQL that stands in a text, or is made of names in a text (tablefunc, xml2, refint). Write the " +
                "query itself",
            "check_foreign_key check_primary_key connectby crosstab crosstab2 crosstab3 crosstab4 xpath_table"),
        new("names its sequence in a text, which is never rewritten (autoinc). Use an identity column", "autoinc"),
        new("deletes large objects, which all tenants of the database share (lo). Use a bytea column", "lo_manage"),
        new("sets a limit for the session (pg_trgm). Use set_config('pg_trgm.similarity_threshold', ..., true)",
            "set_limit"),
        new("changes how the session reads numbers (isn)", "isn_weak"),
        new("notifies of a changed row without its tenant (tcn)", "triggered_change_notification"),
        new("applies a stylesheet, which can name other documents (xml2)", "xslt_process"),
        new("reads the queries of all tenants (pg_stat_statements)",
            "pg_stat_statements pg_stat_statements_info pg_stat_statements_reset"),
        new("reads pages of any table (pageinspect)",
            """
            brin_metapage_info brin_page_items brin_page_type brin_revmap_data bt_metap bt_multi_page_stats
            bt_page_items bt_page_stats fsm_page_contents get_raw_page gin_leafpage_items gin_metapage_info
            gin_page_opaque_info gist_page_items gist_page_items_bytea gist_page_opaque_info hash_bitmap_info
            hash_metapage_info hash_page_items hash_page_stats hash_page_type heap_page_item_attrs heap_page_items
            heap_tuple_infomask_flags page_checksum page_header tuple_data_split
            """),
        new("names a table in a text or a number and looks at its storage, its size or its locks",
            """
            bt_index_check bt_index_parent_check gin_index_check pg_check_frozen pg_check_visible pg_freespace
            pg_relpages pg_visibility pg_visibility_map pg_visibility_map_summary pgrowlocks pgstatginindex
            pgstathashindex pgstatindex pgstattuple pgstattuple_approx verify_heapam
            """),
        new("changes or fills a table's storage, or the cache that all tenants share",
            """
            autoprewarm_dump_now autoprewarm_start_worker heap_force_freeze heap_force_kill pg_buffercache_evict
            pg_buffercache_evict_all pg_buffercache_evict_relation pg_prewarm pg_truncate_visibility_map
            """),
        new("reads the server's memory, files or write-ahead log",
            """
            pg_buffercache_numa_pages pg_buffercache_pages pg_buffercache_summary pg_buffercache_usage_counts
            pg_get_logical_snapshot_info pg_get_logical_snapshot_meta pg_get_wal_block_info pg_get_wal_record_info
            pg_get_wal_records_info pg_get_wal_records_info_till_end_of_wal pg_get_wal_stats
            pg_get_wal_stats_till_end_of_wal pg_old_snapshot_time_mapping
            """),
        new("writes, renames or lists files of the server (adminpack)",
            "pg_file_rename pg_file_sync pg_file_unlink pg_file_write pg_logdir_ls"),
        new("belongs to a foreign-data wrapper, a language or an access method, not to a query",
            """
            blhandler file_fdw_handler file_fdw_validator plpgsql_call_handler plpgsql_inline_handler
            plpgsql_validator postgres_fdw_disconnect postgres_fdw_disconnect_all postgres_fdw_get_connections
            postgres_fdw_handler postgres_fdw_validator
            """),
        new("names a table in a text, which is never rewritten, or reads its statistics (PostGIS)",
            """
            _postgis_index_extent _postgis_join_selectivity _postgis_selectivity _postgis_stats addgeometrycolumn
            addoverviewconstraints addrasterconstraints addtogeometry checkauth dropgeometrycolumn dropgeometrytable
            dropoverviewconstraints droprasterconstraints find_srid lockrow populate_geometry_columns
            st_createoverview st_estimated_extent st_estimatedextent st_find_extent st_findextent
            st_fromflatgeobuftotable st_retile updategeometrysrid updaterastersrid
            """),
        new("reads files of the server (PostGIS)",
            """
            st_addband st_bandfilesize st_bandfiletimestamp st_bandpath st_fromgdalraster st_setbandindex
            st_setbandpath
            """),
        new("names its topology, a schema, in a text, which is never rewritten (PostGIS)",
            """
            st_addedgemodface st_addedgenewfaces st_addisoedge st_addisonode st_changeedgegeom st_createtopogeo
            st_getfaceedges st_getfacegeometry st_inittopogeo st_modedgeheal st_modedgesplit st_moveisonode
            st_newedgeheal st_newedgessplit st_remedgemodface st_remedgenewface st_remisonode st_removeisoedge
            st_removeisonode
            """),
    ];

    /// <summary>The functions of PostGIS: those that are so named and aren't <see cref="Harmful"/>.</summary>
    public static IReadOnlyList<string> PostGisPrefixes { get; } = ["st_", "_st_"];

    public static IReadOnlyList<NameGroup> Harmless { get; } =
    [
        new("btree_gin", "gin_enum_cmp gin_numeric_cmp"),
        new("btree_gist",
            """
            cash_dist date_dist float4_dist float8_dist gist_translate_cmptype_btree int2_dist int4_dist int8_dist
            interval_dist oid_dist time_dist ts_dist tstz_dist
            """),
        new("citext",
            """
            citext citext_cmp citext_eq citext_ge citext_gt citext_hash citext_hash_extended citext_larger citext_le
            citext_lt citext_ne citext_pattern_cmp citext_pattern_ge citext_pattern_gt citext_pattern_le
            citext_pattern_lt citext_smaller citextsend max min regexp_match regexp_matches regexp_replace
            regexp_split_to_array regexp_split_to_table replace split_part strpos texticlike texticnlike
            texticregexeq texticregexne translate
            """),
        new("cube",
            """
            cube cube_cmp cube_contained cube_contains cube_coord cube_coord_llur cube_dim cube_distance
            cube_enlarge cube_eq cube_ge cube_gt cube_inter cube_is_point cube_le cube_ll_coord cube_lt cube_ne
            cube_overlap cube_send cube_size cube_subset cube_union cube_ur_coord distance_chebyshev
            distance_taxicab
            """),
        new("earthdistance",
            """
            earth earth_box earth_distance gc_to_sec geo_distance latitude ll_to_earth longitude sec_to_gc
            """),
        new("fuzzystrmatch",
            """
            daitch_mokotoff difference dmetaphone dmetaphone_alt levenshtein levenshtein_less_equal metaphone
            soundex text_soundex
            """),
        new("hstore",
            """
            akeys avals defined delete each exist exists_all exists_any fetchval hs_concat hs_contained hs_contains
            hstore hstore_cmp hstore_eq hstore_ge hstore_gt hstore_hash hstore_hash_extended hstore_le hstore_lt
            hstore_ne hstore_send hstore_to_array hstore_to_json hstore_to_json_loose hstore_to_jsonb
            hstore_to_jsonb_loose hstore_to_matrix hstore_version_diag isdefined isexists populate_record skeys
            slice slice_array svals tconvert
            """),
        new("insert_username", "insert_username"),
        new("intagg", "int_array_aggregate int_array_enum"),
        new("intarray",
            """
            _int_contained _int_contains _int_different _int_inter _int_overlap _int_same _int_union boolop icount
            idx intarray_del_elem intarray_push_array intarray_push_elem intset intset_subtract intset_union_elem
            querytree rboolop sort sort_asc sort_desc subarray uniq
            """),
        new("isn",
            """
            btean13cmp btisbn13cmp btisbncmp btismn13cmp btismncmp btissn13cmp btissncmp btupccmp hashean13 hashisbn
            hashisbn13 hashismn hashismn13 hashissn hashissn13 hashupc is_valid isbn isbn13 ismn ismn13 isneq isnge
            isngt isnle isnlt isnne issn issn13 make_valid upc
            """),
        new("lo", "lo_oid"),
        new("ltree",
            """
            _lt_q_regex _lt_q_rregex _ltq_extract_regex _ltq_regex _ltq_rregex _ltree_extract_isparent
            _ltree_extract_risparent _ltree_isparent _ltree_r_isparent _ltree_r_risparent _ltree_risparent
            _ltxtq_exec _ltxtq_extract_exec _ltxtq_rexec hash_ltree hash_ltree_extended index lca lquery_send
            lt_q_regex lt_q_rregex ltq_regex ltq_rregex ltree2text ltree_addltree ltree_addtext ltree_cmp ltree_eq
            ltree_ge ltree_gt ltree_isparent ltree_le ltree_lt ltree_ne ltree_risparent ltree_send ltree_textadd
            ltxtq_exec ltxtq_rexec ltxtq_send nlevel subltree subpath text2ltree
            """),
        new("moddatetime", "moddatetime"),
        new("pg_trgm",
            """
            show_limit show_trgm similarity similarity_dist similarity_op strict_word_similarity
            strict_word_similarity_commutator_op strict_word_similarity_dist_commutator_op
            strict_word_similarity_dist_op strict_word_similarity_op word_similarity word_similarity_commutator_op
            word_similarity_dist_commutator_op word_similarity_dist_op word_similarity_op
            """),
        new("pgcrypto",
            """
            armor crypt dearmor decrypt decrypt_iv digest encrypt encrypt_iv fips_mode gen_random_bytes
            gen_random_uuid gen_salt hmac pgp_armor_headers pgp_key_id pgp_pub_decrypt pgp_pub_decrypt_bytea
            pgp_pub_encrypt pgp_pub_encrypt_bytea pgp_sym_decrypt pgp_sym_decrypt_bytea pgp_sym_encrypt
            pgp_sym_encrypt_bytea
            """),
        new("seg",
            """
            seg_center seg_cmp seg_contained seg_contains seg_different seg_ge seg_gt seg_inter seg_le seg_left
            seg_lower seg_lt seg_over_left seg_over_right seg_overlap seg_right seg_same seg_size seg_union
            seg_upper
            """),
        new("sslinfo",
            """
            ssl_cipher ssl_client_cert_present ssl_client_dn ssl_client_dn_field ssl_client_serial
            ssl_extension_info ssl_is_used ssl_issuer_dn ssl_issuer_field ssl_version
            """),
        new("tablefunc", "normal_rand"),
        new("unaccent", "unaccent"),
        new("uuid-ossp",
            """
            uuid_generate_v1 uuid_generate_v1mc uuid_generate_v3 uuid_generate_v4 uuid_generate_v5 uuid_nil
            uuid_ns_dns uuid_ns_oid uuid_ns_url uuid_ns_x500
            """),
        new("xml2", "xml_encode_special_chars xml_valid xpath_bool xpath_list xpath_nodeset xpath_number xpath_string"),
        new("tsm_system_rows and tsm_system_time: sampling methods", "system_rows system_time"),
    ];
}

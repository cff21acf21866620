using System.Collections.Frozen;
using System.Text.RegularExpressions;

namespace Tenancy.Leasing;

/// <summary>
/// The types that Npgsql reads and writes without loading any from the database, see
/// <see cref="TenancyOptions.LoadTypes"/>.
/// </summary>
internal static partial class BuiltInTypes
{
    /// <summary>
    /// By PostgreSQL's names and by those of the SQL standard; a test compares them with what Npgsql can do. Arrays are
    /// known with their elements.
    /// </summary>
    private static readonly FrozenSet<string> Names = FrozenSet.ToFrozenSet(
        """
        int2, smallint, int4, int, integer, int8, bigint, float4, real, float8, float, double precision, numeric, decimal, dec, money, bool, boolean,
        bpchar, char, character, varchar, char varying, character varying, text, name, bytea, bit, varbit, bit varying, uuid, xml, json, jsonb, jsonpath,
        date, time, time without time zone, timetz, time with time zone, timestamp, timestamp without time zone, timestamptz, timestamp with time zone, interval,
        int4range, int8range, numrange, daterange, tsrange, tstzrange, int4multirange, int8multirange, nummultirange, datemultirange, tsmultirange, tstzmultirange,
        point, line, lseg, box, path, polygon, circle, inet, cidr, macaddr, macaddr8, tsvector, tsquery, regconfig, regtype,
        oid, oidvector, int2vector, xid, xid8, cid, tid, pg_lsn, refcursor
        """.Split([',', '\n'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries), StringComparer.OrdinalIgnoreCase);

    /// <param name="storeType">As EF's mapping has it, e.g. <c>numeric(18,2)</c> or <c>character
    /// varying(30)[]</c>.</param>
    public static bool Has(string storeType) =>
        Names.Contains(Spaces().Replace(FacetsAndBounds().Replace(storeType, ""), " ").Trim());

    /// <summary>
    /// A length or a precision, which may stand amid the name: <c>timestamp(3) with time zone</c>; and an array's
    /// bounds.
    /// </summary>
    [GeneratedRegex(@"\([^)]*\)|\[\d*\]")]
    private static partial Regex FacetsAndBounds();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}

namespace Tenancy.Transfer;

/// <summary>
/// Settings by which values become text and text becomes values again. A server, a database or a role may set others.
/// </summary>
internal static class CopySettings
{
    /// <summary>
    /// For one transaction. Floating-point numbers keep all digits (since PostgreSQL 12, 1 is the shortest exact form);
    /// dates can't be taken for another day; a table with row security fails instead of hiding rows.
    /// </summary>
    public const string SetLocal =
        """
        SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL extra_float_digits = 1;
        SET LOCAL bytea_output = 'hex'; SET LOCAL timezone = 'UTC'; SET LOCAL xmloption = 'content';
        SET LOCAL lc_monetary = 'C';
        SET LOCAL row_security = off
        """;
}

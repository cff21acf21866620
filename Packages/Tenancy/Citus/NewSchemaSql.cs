namespace Tenancy.Citus;

/// <summary>The statements that make a tenant's schema. Whoever makes one uses them.</summary>
internal static class NewSchemaSql
{
    /// <summary>
    /// Makes the schema. Citus places it on a node then, with every table that is made in it later. PostgreSQL without
    /// Citus takes the setting for one of an extension's, and it changes nothing there.
    /// </summary>
    /// <remarks>
    /// For this schema alone, never for the database: Citus would place the schema <c>tenancy</c>, too, whose
    /// statements it then refuses (0A000). SET LOCAL, hence in a transaction: nothing stays on the pooled connection.
    /// </remarks>
    /// <param name="quoted">The schema's name, quoted.</param>
    public static string Create(string quoted) =>
        $"SET LOCAL citus.enable_schema_based_sharding TO on;\nCREATE SCHEMA {quoted};\n";
}

using System.Data.Common;
using System.Globalization;
using System.Text;
using Tenancy.Sql;

namespace Tenancy.Leasing;

/// <summary>
/// Some tenants that one command reads for: the command's text once per tenant, joined by UNION ALL, with the tenant's
/// place as a last column.
/// </summary>
internal sealed class TenantChunk(IReadOnlyList<Tenant> tenants)
{
    /// <summary>At least one, all of one database.</summary>
    public IReadOnlyList<Tenant> Tenants { get; } = tenants;

    /// <summary>Their database; null for the first one.</summary>
    public string? Database { get; } = tenants[0].Database;

    /// <summary>The rows as they come from the server, at the one that EF made into an object last.</summary>
    public DbDataReader? Rows { get; set; }

    /// <summary>The tenant of the current row.</summary>
    public int Place => Rows!.GetInt32(Rows.FieldCount - 1);

    public string TextOf(SqlTemplate template)
    {
        var text = new StringBuilder();
        for (var place = 0; place < Tenants.Count; place++)
        {
            // The query on lines of its own: it may end in a comment.
            text.Append(place == 0 ? "" : "UNION ALL\n").Append("SELECT q.*, ")
                .Append(place.ToString(CultureInfo.InvariantCulture)).Append(" FROM (\n")
                .Append(template.Rewrite(Tenants[place].Schema)).Append("\n) AS q\n");
        }

        return text.ToString();
    }
}
